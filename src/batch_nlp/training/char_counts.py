"""Counts of known character n-grams within words, about as fast as looking words up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from batch_nlp.chunks import Chunks, replace_surrogates


def char_ngrams(word: str, shortest: int, longest: int) -> list[str]:
    """Return the character n-grams of a word between two spaces, as scikit-learn's analyzer ``char_wb`` does.

    Examples
    --------
    >>> char_ngrams("ab", 2, 3)
    [' a', 'ab', 'b ', ' ab', 'ab ']
    """
    padded = f" {word} "
    lengths = range(shortest, min(longest, len(padded)) + 1)
    found = [padded[start : start + length] for length in lengths for start in range(len(padded) - length + 1)]
    return found or [padded]


class CharCounter:
    """Counts the character n-grams of texts in lower case; the n-grams of each distinct chunk are looked up once.

    Parameters
    ----------
    columns : mapping of str to int
        The column of each n-gram; others are not counted.
    shortest, longest : int
        Length of the n-grams in characters, with the space on each side of a word.
    """

    def __init__(self, columns: Mapping[str, int], shortest: int, longest: int) -> None:
        self._columns = columns
        self._lengths = (shortest, longest)
        self._chunks = Chunks(self._number)

    def _number(self, chunks: list[str]) -> list[list[int]]:
        find, lengths = self._columns.get, self._lengths
        return [
            [
                column
                for word in chunk.split()
                for gram in char_ngrams(word, *lengths)
                if (column := find(gram, -1)) >= 0
            ]
            for chunk in (chunk.lower() for chunk in chunks)
        ]

    def count(self, texts: Sequence[str]) -> csr_array:
        """Return the counts, float64, shape (n_texts, n_columns)."""
        flat, ends = self._chunks([replace_surrogates(text) for text in texts])
        return _by_text(flat, ends, len(self._columns))


class CharVocabulary:
    """Counts in how many of the texts that are added in pieces each character n-gram occurs.

    Parameters
    ----------
    shortest, longest : int
        As for `CharCounter`.
    """

    def __init__(self, shortest: int, longest: int) -> None:
        self._lengths = (shortest, longest)
        self._numbers: dict[str, int] = {}
        self._texts = np.zeros(0, dtype=np.int64)
        self._chunks = Chunks(self._number)

    def _number(self, chunks: list[str]) -> list[list[int]]:
        numbers, lengths = self._numbers, self._lengths
        return [
            [numbers.setdefault(gram, len(numbers)) for word in chunk.split() for gram in char_ngrams(word, *lengths)]
            for chunk in (chunk.lower() for chunk in chunks)
        ]

    def add(self, texts: Sequence[str]) -> None:
        """Count the n-grams of some texts."""
        flat, ends = self._chunks([replace_surrogates(text) for text in texts])
        counts = _by_text(flat, ends, len(self._numbers))
        texts_with = np.bincount(counts.indices, minlength=len(self._numbers))
        texts_with[: len(self._texts)] += self._texts
        self._texts = texts_with

    def frequent(self, min_df: int, max_features: int) -> tuple[list[str], NDArray[np.int64]]:
        """Return the `max_features` n-grams that occur in most texts, and in at least `min_df`.

        Returns
        -------
        terms : list of str
            In alphabetical order, also among equally frequent n-grams.
        texts : ndarray of int64, shape (n_terms,)
            Number of texts with each n-gram.
        """
        kept = sorted(gram for gram, number in self._numbers.items() if self._texts[number] >= min_df)
        if len(kept) > max_features:
            kept = sorted(sorted(kept, key=lambda gram: -self._texts[self._numbers[gram]])[:max_features])
        return kept, self._texts[[self._numbers[gram] for gram in kept]]


def _by_text(flat: NDArray[np.int32], ends: NDArray[np.int64], n_columns: int) -> csr_array:
    """Return how often each number occurs in each text, columns in order."""
    bounds = np.concatenate(([0], ends)).astype(np.int32)
    counts = csr_array((np.ones(len(flat)), flat, bounds), shape=(len(ends), n_columns))
    counts.sum_duplicates()
    return counts
