"""Word n-grams: the vocabulary of frequent ones, and their counts per sentence and per text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import CountVectorizer

from batch_nlp.words import find_words

_END_OF_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
# Closing marks that no space follows, with the quotation marks and brackets after them
UNSPACED_END = re.compile("(?<=[。｡！？])(?![。｡！？」』）])|(?<=[。｡！？][」』）])(?![」』）])")


def split_sentences(texts: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Split texts into sentences, at white space after a full stop or another closing mark and at line ends.

    The closing marks of Chinese and Japanese need no white space.

    Returns
    -------
    sentences : list of str
        All sentences in order; a text without a sentence counts as one.
    starts : ndarray of int64, shape (n_texts,)
        Where the sentences of each text start.
    """
    sentences: list[str] = []
    starts = np.empty(len(texts), dtype=np.int64)
    for position, text in enumerate(texts):
        starts[position] = len(sentences)
        parts = _END_OF_SENTENCE.split(text)
        if not text.isascii():
            parts = list(chain.from_iterable(map(UNSPACED_END.split, parts)))
        sentences += [part for part in parts if part.strip()] or [text]
    return sentences, starts


def new_vectorizer(max_n: int) -> CountVectorizer:
    """Return a counter of the n-grams of 1 to `max_n` words."""
    return CountVectorizer(ngram_range=(1, max_n), tokenizer=find_words, token_pattern=None, dtype=np.float64)


def sum_by_text(counts: csr_array, starts: NDArray[np.int64]) -> csr_array:
    """Return the counts of whole texts from those of their sentences, shape (n_texts, n_terms)."""
    bounds = np.append(starts, counts.shape[0])
    owners = csr_array(
        (np.ones(counts.shape[0]), np.arange(counts.shape[0]), bounds), shape=(len(starts), counts.shape[0])
    )
    return csr_array(owners @ counts)


class Vocabulary:
    """Counts the n-grams of texts that are added in pieces.

    The counts are exact for up to `most` distinct n-grams. Beyond that, the rarest ones are dropped, and counted anew
    if they occur again. N-grams that are frequent enough to be kept are far from being dropped.

    Parameters
    ----------
    max_n : int
        Longest n-gram in words.
    by_sentence : bool
        Whether n-grams stay within a sentence.
    most : int
        Most distinct n-grams to hold; each takes about 250 bytes.
    """

    def __init__(self, max_n: int, *, by_sentence: bool, most: int) -> None:
        self._analyze = new_vectorizer(max_n).build_analyzer()
        self._by_sentence = by_sentence
        self._most = most
        self._texts: Counter[str] = Counter()
        self._occurrences: Counter[str] = Counter()

    def add(self, texts: Iterable[str]) -> None:
        """Count the n-grams of some texts."""
        for text in texts:
            sentences = split_sentences([text])[0] if self._by_sentence else [text]
            terms = list(chain.from_iterable(map(self._analyze, sentences)))
            self._occurrences.update(terms)
            self._texts.update(set(terms))
            if len(self._texts) > self._most:
                self._prune()

    def _prune(self) -> None:
        least = 1
        while len(self._texts) > self._most // 2:
            for term in [term for term, count in self._texts.items() if count <= least]:
                del self._texts[term], self._occurrences[term]
            least += 1

    def frequent(self, min_df: int, max_features: int) -> tuple[list[str], NDArray[np.int64]]:
        """Return the `max_features` most frequent of the n-grams that occur in at least `min_df` texts.

        Returns
        -------
        terms : list of str
            In alphabetical order; among equally frequent n-grams, the first are taken.
        texts : ndarray of int64, shape (n_terms,)
            Number of texts with each n-gram.
        """
        kept = sorted(term for term, count in self._texts.items() if count >= min_df)
        if len(kept) > max_features:
            often = sorted(kept, key=lambda term: -self._occurrences[term])[:max_features]
            kept = sorted(often)
        return kept, np.array([self._texts[term] for term in kept], dtype=np.int64)
