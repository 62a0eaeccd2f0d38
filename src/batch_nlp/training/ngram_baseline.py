"""The plain baseline: TF-IDF and logistic regression, as one would write them with scikit-learn in an afternoon."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from batch_nlp.config import Input
from batch_nlp.fields import TEXT
from batch_nlp.steps.base import TakesTexts
from batch_nlp.training.ngram_scores import NgramScores


class NgramBaseline(TakesTexts, ClassifierMixin, BaseEstimator):
    """Balanced logistic regression on TF-IDF weights of word n-grams, and nothing else.

    A model that does not beat this baseline is not worth its cost.

    Parameters
    ----------
    max_n : int
        Longest n-gram in words.
    min_df : int
        Fewest messages in which an n-gram must occur.
    max_features : int
        Most n-grams to keep, by frequency.
    c : float
        Inverse regularisation strength.

    Attributes
    ----------
    classes_ : ndarray, shape (k,)
    scores_ : NgramScores
        Only the log-odds of its logistic regression are used.
    """

    # It reads nothing besides the text
    inputs: frozenset[Input] = frozenset()

    def __init__(self, max_n: int = 3, min_df: int = 2, max_features: int = 1_000_000, c: float = 4.0) -> None:
        self.max_n = max_n
        self.min_df = min_df
        self.max_features = max_features
        self.c = c

    def fit(self, X: pd.DataFrame, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn n-grams and weights from the column of texts and their classes, shape (n,).

        `sample_weight` is accepted and ignored: the regression balances the classes itself, which is what
        ``training.balance=weights`` asks for.
        """
        del sample_weight
        self.scores_ = NgramScores(
            max_n=self.max_n, min_df=self.min_df, max_features=self.max_features, c=self.c, sentences=False
        ).fit(X[[TEXT]], y)
        self.classes_ = self.scores_.classes_
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the probabilities, shape (n, k)."""
        check_is_fitted(self)
        scores = self.scores_.transform(X[[TEXT]])
        if len(self.classes_) == 2:
            return np.asarray(softmax(np.stack([np.zeros(len(scores)), scores[:, 0]], axis=1), axis=1))
        return np.asarray(softmax(scores[:, : len(self.classes_)], axis=1))

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """Return the most probable classes, shape (n,)."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])
