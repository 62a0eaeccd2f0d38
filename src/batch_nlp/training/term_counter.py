"""Counts of known word n-grams, about as fast as looking words up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from batch_nlp.chunks import Chunks, replace_surrogates, split_chunks
from batch_nlp.training.word_counts import UNSPACED_END
from batch_nlp.words import find_words

# The words of models of an earlier release
_SPACED_WORD = re.compile(r"\b\w+(?:'\w+)?\b|[!?$]")
_WHITE_SPACE = re.compile(r"(\s+)")
# Numbers that are not words of a term: the end of a sentence, a chunk without words, an unknown word
_END, _NO_WORD, _UNKNOWN = -1, -2, -3


class _Level(NamedTuple):
    """N-grams of one length, sorted by `keys`, which combine the number of the prefix with that of the last word."""

    keys: NDArray[np.int64]
    # The column of each n-gram; -1 for one that is only the prefix of longer ones
    columns: NDArray[np.int64]


class TermCounter:
    """Counts the n-grams of a vocabulary in the sentences of texts.

    The counts equal those of scikit-learn's CountVectorizer on the sentences of `word_counts.split_sentences`, in a
    tenth of the time: each distinct chunk is split into words once, and n-grams are looked up by their numbers.

    Parameters
    ----------
    terms : sequence of str
        N-grams, their words joined by spaces; column `i` counts ``terms[i]``.
    by_sentence : bool
        Whether to count per sentence instead of per text.
    all_spaced : bool
        Whether to take all scripts for scripts with spaces, as models of an earlier release do.
    """

    def __init__(self, terms: Sequence[str], *, by_sentence: bool = True, all_spaced: bool = False) -> None:
        self._n_terms = len(terms)
        self._by_sentence = by_sentence
        self._all_spaced = all_spaced
        self._find_words = _SPACED_WORD.findall if all_spaced else find_words
        words, codes, bounds = split_chunks(terms)
        self._words = {word: number for number, word in enumerate(words.to_pylist())}
        self._levels = self._build_levels(codes.astype(np.int64), bounds)
        self._chunks = Chunks(self._number)

    def _build_levels(self, words: NDArray[np.int64], bounds: NDArray[np.int64]) -> list[_Level]:
        """Return the levels from the concatenated words of all terms and the bounds of each term."""
        starts, lengths = bounds[:-1], np.diff(bounds)
        # every word occurs, so the numbers of the first level are those of the words
        of_terms = words[starts]
        keys = np.arange(len(self._words))
        levels: list[_Level] = []
        for length in range(1, int(lengths.max(initial=0)) + 1):
            longer = lengths >= length  # a longer n-gram is found by its prefix
            if length > 1:
                found = of_terms[longer] * len(self._words) + words[starts[longer] + length - 1]
                keys, of_terms[longer] = np.unique(found, return_inverse=True)
            columns = np.full(len(keys), -1, dtype=np.int64)
            whole = np.flatnonzero(lengths == length)
            columns[of_terms[whole]] = whole
            levels.append(_Level(keys, columns))
        return levels

    def _number(self, chunks: list[str]) -> list[list[int]]:
        """Return the numbers of the words and sentence ends in each chunk."""
        return [self._number_chunk(chunk) for chunk in chunks]

    def _number_chunk(self, chunk: str) -> list[int]:
        if chunk.isascii() and chunk.isalnum():  # most of them
            return [self._words.get(chunk.lower(), _UNKNOWN)]
        numbers: list[int] = []
        # white space other than the space character is part of a chunk
        for part in _WHITE_SPACE.split(chunk):
            if part.isspace():
                numbers += [_END] if "\n" in part else []
            elif part:
                numbers += self._number_part(part)
                numbers += [_END] if part.endswith((".", "!", "?")) else []
        return numbers

    def _number_part(self, part: str) -> list[int]:
        sentences = [part] if self._all_spaced or part.isascii() else UNSPACED_END.split(part)
        numbers: list[int] = []
        for place, sentence in enumerate(sentences):
            numbers += [_END] if place else []
            if sentence:
                words = self._find_words(sentence.lower())
                numbers += [self._words.get(word, _UNKNOWN) for word in words] or [_NO_WORD]
        return numbers

    def count(self, texts: Sequence[str]) -> tuple[csr_array, NDArray[np.int64]]:
        """Count the terms.

        Returns
        -------
        counts : csr_array of float64, shape (n_sentences, n_terms)
        starts : ndarray of int64, shape (n_texts,)
            Where the sentences of each text start.
        """
        flat, ends = self._chunks([replace_surrogates(text) for text in texts])
        text = np.repeat(np.arange(len(texts)), np.diff(ends, prepend=0))
        sentence, starts, rows = self._sentences(flat, text, len(texts))
        kept = flat != _NO_WORD
        kept &= flat != _END
        return self._count(flat[kept].astype(np.int64), sentence[kept], rows), starts

    def _sentences(
        self, flat: NDArray[np.int32], text: NDArray[np.int64], n_texts: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        """Return the sentence of each number, where the sentences of each text start, and the number of sentences."""
        if not self._by_sentence:
            return text, np.arange(n_texts), n_texts
        is_end = flat == _END
        # a piece lies between two sentence ends or bounds of a text; it is a sentence if it has more than white space
        begins = np.ones(len(flat), dtype=bool)
        begins[1:] = is_end[:-1] | (text[1:] != text[:-1])
        piece = np.cumsum(begins) - 1
        is_sentence = np.zeros(int(begins.sum()), dtype=bool)
        is_sentence[piece[~is_end]] = True
        sentences = np.bincount(text[begins][is_sentence], minlength=n_texts)
        # a text without sentences counts as one
        empty = sentences == 0
        per_text = sentences + empty
        starts = np.cumsum(per_text) - per_text
        number = np.cumsum(is_sentence) - 1
        return number[piece] + np.cumsum(empty)[text], starts, int(per_text.sum())

    def _count(self, words: NDArray[np.int64], sentence: NDArray[np.int64], n_rows: int) -> csr_array:
        rows, columns = [], []
        # numbers of the n-grams that begin at each word, -1 where the n-gram is unknown
        found = words
        for length, level in enumerate(self._levels, start=1):
            if length > 1:
                found = self._lengthen(level, found[: len(words) - length + 1], words, sentence)
            positions = np.flatnonzero(found >= 0)
            counted = level.columns[found[positions]]
            rows.append(sentence[positions][counted >= 0])
            columns.append(counted[counted >= 0])
        places = (np.concatenate(rows).astype(np.int32), np.concatenate(columns).astype(np.int32))
        ones = np.ones(len(places[0]), dtype=np.float64)
        return csr_array(coo_array((ones, places), shape=(n_rows, self._n_terms)))

    def _lengthen(
        self, level: _Level, found: NDArray[np.int64], words: NDArray[np.int64], sentence: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the n-grams of a level that begin at each word, from those that are one word shorter."""
        longer = len(words) - len(found)
        last = words[longer:]
        possible = (found >= 0) & (last >= 0) & (sentence[: len(found)] == sentence[longer:])
        positions = np.flatnonzero(possible)
        keys = found[positions] * len(self._words) + last[positions]
        place = np.minimum(np.searchsorted(level.keys, keys), len(level.keys) - 1)
        hit = level.keys[place] == keys
        result = np.full(len(found), -1, dtype=np.int64)
        result[positions[hit]] = place[hit]
        return result
