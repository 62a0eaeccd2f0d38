"""Counts of word n-grams, in sentences and in whole texts, from one pass over the words."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import CountVectorizer

# words with their apostrophes, and the marks that carry sentiment
WORD_OR_MARK = r"(?u)\b\w+(?:'\w+)?\b|[!?$]"
_END_OF_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def split_sentences(texts: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Split texts into sentences, at white space after a full stop or another closing mark and at line ends.

    Returns
    -------
    sentences : list of str
        All sentences, those of a text in their order; a text without any counts as one sentence.
    starts : ndarray of int64, shape (n_texts,)
        Where the sentences of each text start.
    """
    sentences: list[str] = []
    starts = np.empty(len(texts), dtype=np.int64)
    for position, text in enumerate(texts):
        starts[position] = len(sentences)
        sentences += [part for part in _END_OF_SENTENCE.split(text) if part.strip()] or [text]
    return sentences, starts


def new_vectorizer(max_n: int, vocabulary: dict[str, int] | None = None) -> CountVectorizer:
    """Return a counter of the n-grams of 1 to `max_n` words."""
    return CountVectorizer(ngram_range=(1, max_n), token_pattern=WORD_OR_MARK, vocabulary=vocabulary, dtype=np.float64)


def sum_by_text(counts: csr_array, starts: NDArray[np.int64]) -> csr_array:
    """Return the counts of whole texts from those of their sentences, shape (n_texts, n_terms)."""
    bounds = np.append(starts, counts.shape[0])
    owners = csr_array(
        (np.ones(counts.shape[0]), np.arange(counts.shape[0]), bounds), shape=(len(starts), counts.shape[0])
    )
    return csr_array(owners @ counts)


def frequent_terms(counts: csr_array, min_df: int, max_features: int) -> NDArray[np.int64]:
    """Return the columns of the n-grams that occur in at least `min_df` texts, the most frequent `max_features`.

    Parameters
    ----------
    counts : csr_array, shape (n_texts, n_terms)
    min_df, max_features : int
    """
    texts = np.bincount(counts.indices, minlength=counts.shape[1])
    kept = np.flatnonzero(texts >= min_df)
    if len(kept) > max_features:
        total = np.asarray(counts.sum(axis=0)).ravel()[kept]
        kept = np.sort(kept[np.argsort(-total, kind="stable")[:max_features]])
    return kept
