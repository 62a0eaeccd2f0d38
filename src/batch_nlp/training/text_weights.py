"""TF-IDF weights of words and characters, and vectors, as one sparse matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from batch_nlp.training.char_counts import CharCounter, CharVocabulary
from batch_nlp.training.ngram_models import stack
from batch_nlp.training.term_counter import TermCounter
from batch_nlp.training.word_counts import Vocabulary

# Texts processed at a time
_TEXTS = 10_000
# Most distinct n-grams of words held in memory while counting
_TERMS = 3_000_000
# Attributes that are rebuilt from the terms when needed
_REBUILT = ("_words", "_chars")


class TextWeights(BaseEstimator):
    """Turn texts into TF-IDF weights of word n-grams and of character n-grams within words.

    The weights of the words of a text have length 1, and so have those of its characters. They equal those of two
    `TfidfVectorizer` with ``sublinear_tf=True``, the second one with ``analyzer="char_wb"``.

    Parameters
    ----------
    max_n : int
        Longest n-gram in words.
    min_chars, max_chars : int
        Length of the n-grams of characters; a `max_chars` of 0 uses none.
    min_df : int
        Fewest texts in which an n-gram must occur.
    max_features : int
        Most n-grams of words, and most of characters, by frequency.

    Attributes
    ----------
    words_, chars_ : str
        The n-grams, one per line, in the order of the columns.
    words_idf_, chars_idf_ : ndarray of float32
        Inverse document frequencies.
    """

    def __init__(
        self, max_n: int = 2, min_chars: int = 2, max_chars: int = 5, min_df: int = 2, max_features: int = 100_000
    ) -> None:
        self.max_n = max_n
        self.min_chars = min_chars
        self.max_chars = max_chars
        self.min_df = min_df
        self.max_features = max_features

    def fit(self, texts: Sequence[str], y: object = None) -> Self:
        """Learn the n-grams and their frequencies."""
        words = Vocabulary(self.max_n, by_sentence=False, most=max(_TERMS, 4 * self.max_features))
        chars = CharVocabulary(self.min_chars, self.max_chars)
        for piece in pieces(texts):
            words.add(piece)
            if self.max_chars:
                chars.add(piece)
        found, texts_with = words.frequent(self.min_df, self.max_features)
        self.words_, self.words_idf_ = "\n".join(found), _idf(len(texts), texts_with)
        found, texts_with = chars.frequent(self.min_df, self.max_features)
        self.chars_, self.chars_idf_ = "\n".join(found), _idf(len(texts), texts_with)
        for name in _REBUILT:
            self.__dict__.pop(name, None)
        return self

    @property
    def n_terms(self) -> int:
        """Number of n-grams, and of columns."""
        return len(self.words_idf_) + len(self.chars_idf_)

    def transform(self, texts: Sequence[str]) -> csr_array:
        """Return the weights, float64, shape (n, n_terms): first those of the words."""
        return stack((self._weigh(piece) for piece in pieces(texts)), self.n_terms)

    def _weigh(self, texts: Sequence[str]) -> csr_array:
        check_is_fitted(self)
        if self.__dict__.get("_words") is None:
            self._words = TermCounter(_lines(self.words_), by_sentence=False)
            chars = {gram: column for column, gram in enumerate(_lines(self.chars_))}
            self._chars = CharCounter(chars, self.min_chars, self.max_chars)
        known = len(self.words_idf_) > 0
        of_words = weigh(self._words.count(texts)[0] if known else csr_array((len(texts), 0)), self.words_idf_)
        return csr_array(hstack([of_words, weigh(self._chars.count(texts), self.chars_idf_)], format="csr"))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _REBUILT}


def pieces(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the texts in pieces."""
    for start in range(0, len(texts), _TEXTS):
        yield texts[start : start + _TEXTS]


def weigh(counts: csr_array, idf: NDArray[np.float32]) -> csr_array:
    """Return the TF-IDF weights of counts: logarithmic, and of length 1 per row."""
    data = (1 + np.log(counts.data)) * idf[counts.indices]
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    lengths = np.sqrt(np.bincount(row, data**2, minlength=counts.shape[0]))
    return csr_array((data / lengths[row], counts.indices, counts.indptr), shape=counts.shape)


def _idf(n_texts: int, texts_with: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.asarray(np.log((1 + n_texts) / (1.0 + texts_with)) + 1, dtype=np.float32)


def _lines(terms: str) -> list[str]:
    return terms.split("\n") if terms else []
