"""Linear models on words, characters and vectors."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, hstack
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import LinearSVC
from sklearn.utils.validation import check_is_fitted

from batch_nlp.config import Input
from batch_nlp.errors import DataError
from batch_nlp.fields import TEXT
from batch_nlp.steps.base import TakesTexts
from batch_nlp.training.landmarks import Landmarks
from batch_nlp.training.ngram_models import NgramModels, fit_naive_bayes_ridge
from batch_nlp.training.text_weights import TextWeights
from batch_nlp.training.tuned_classifier import MANY_CLASSES

# Rows scored at a time
_ROWS = 10_000
# Most similarities in training, which take 28 bytes each: 1,200 landmarks for 42,000 messages
_SIMILARITIES = 50_000_000
# Largest value of a weight in the model: weights are kept in 8 bits
_LARGEST = 127


class LinearText(TakesTexts, ClassifierMixin, BaseEstimator):
    """Linear models, one class against the others, on TF-IDF weights of words and characters and on vectors.

    A support vector machine reads all of them. With up to 20 classes, two models on the weights alone are added, so
    that calibration can learn how far to trust the vectors: another support vector machine, and a ridge regression on
    the weights times naive-Bayes log-count ratios (Wang and Manning, 2012). The time to fit grows linearly with the
    classes.

    Parameters
    ----------
    c : float
        Inverse regularisation strength of the support vector machines; doubled with more than 20 classes.
    vectors : float
        Length of a message's vector; the weights of its words and of its characters have length 1 each.
    landmarks : int
        Most messages to whose vectors each vector is compared; fewer where there are more than 40,000 messages.
    gamma : float
        How fast similarity falls with distance; see `Landmarks`.
    max_n : int
        Longest n-gram in words.
    min_chars, max_chars : int
        Length of the character n-grams within words; a `max_chars` of 0 uses none.
    min_df : int
        Fewest messages in which an n-gram must occur.
    max_features : int
        Most n-grams of words, and most of characters, by frequency.
    random_state : int
        Seed of the landmarks, and of the order in which the solver visits the messages.

    Attributes
    ----------
    classes_ : ndarray, shape (k,)
    weights_ : TextWeights
    coef_ : ndarray of int8, shape (n_models * n_scores, n_terms)
        Weights of each class in each model, in units of `scale_`. Of two classes, only the second one has weights.
    scale_ : ndarray of float32, shape (n_terms,)
        Unit of each term.
    intercept_ : ndarray of float64, shape (n_models * n_scores,)
    landmarks_ : Landmarks
    landmark_coef_ : ndarray of float32, shape (n_landmarks, n_scores)
        Weights of the similarities in the first model.
    """

    # What the training pipeline computes for this classifier, besides the text
    inputs = frozenset({Input.embedding})

    def __init__(
        self,
        c: float = 0.25,
        vectors: float = 2.0,
        landmarks: int = 1_200,
        gamma: float = 0.7,
        max_n: int = 2,
        min_chars: int = 2,
        max_chars: int = 5,
        min_df: int = 2,
        max_features: int = 100_000,
        random_state: int = 0,
    ) -> None:
        self.c = c
        self.vectors = vectors
        self.landmarks = landmarks
        self.gamma = gamma
        self.max_n = max_n
        self.min_chars = min_chars
        self.max_chars = max_chars
        self.min_df = min_df
        self.max_features = max_features
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn n-grams and weights from texts, the columns beside them, and their classes, shape (n,)."""
        labels, vectors = np.asarray(y), _vectors(X)
        self.weights_ = TextWeights(self.max_n, self.min_chars, self.max_chars, self.min_df, self.max_features)
        self.weights_.fit(X[TEXT].tolist())
        n_terms = self.weights_.n_terms
        if not n_terms + vectors.shape[1]:
            raise DataError(
                f"No word occurs in model.params.min_df={self.min_df} of the {len(labels):,} texts to train on, and "
                "there are no vectors. Add messages, or set model.params.min_df=1."
            )
        most = min(self.landmarks, max(_SIMILARITIES // len(labels), 1))
        self.landmarks_ = Landmarks(most, self.gamma, self.random_state).fit(vectors)
        weights, root = self.weights_.transform(X[TEXT].tolist()), self.vectors * self.landmarks_.root()
        columns = csr_array(hstack([weights, _sparse(self.landmarks_.similarities(vectors) @ root)], format="csr"))
        many = len(np.unique(labels)) > MANY_CLASSES
        every = self._fit_svm(columns, labels, sample_weight, 2 * self.c if many else self.c)
        self.classes_ = every.classes_
        self.landmark_coef_ = np.asarray(root @ every.coef_[:, n_terms:].T, dtype=np.float32)
        models = [NgramModels(every.coef_[:, :n_terms], every.intercept_)]
        if n_terms and not many:
            alone = self._fit_svm(weights, labels, sample_weight, self.c)
            models += [NgramModels(alone.coef_, alone.intercept_), self._fit_ratios(weights, labels)]
        self.intercept_ = np.hstack([model.intercept for model in models])
        self._keep(np.vstack([model.coef for model in models]))
        return self

    def _fit_svm(
        self, columns: csr_array, labels: NDArray[Any], sample_weight: ArrayLike | None, c: float
    ) -> LinearSVC:
        return LinearSVC(C=c, random_state=self.random_state).fit(columns, labels, sample_weight)

    def _fit_ratios(self, weights: csr_array, labels: NDArray[Any]) -> NgramModels:
        """Return the ridge regression of each class, as in `fit_ngram_models`."""
        apart = self.classes_ if len(self.classes_) > 2 else self.classes_[1:]
        fitted = [fit_naive_bayes_ridge(weights, np.where(labels == name, 1.0, -1.0)) for name in apart]
        return NgramModels(np.vstack([one.coef for one in fitted]), np.hstack([one.intercept for one in fitted]))

    def _keep(self, coef: NDArray[np.float64]) -> None:
        """Keep the weights of the terms in 8 bits each."""
        self.scale_ = (np.abs(coef).max(axis=0) / _LARGEST).astype(np.float32)
        self.scale_[self.scale_ == 0] = 1
        self.coef_ = np.rint(coef / self.scale_).astype(np.int8)
        self.__dict__.pop("_by_column", None)

    def scores_by_model(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the scores of each model side by side, shape (n, n_models * k); of two classes, only the second's."""
        check_is_fitted(self)
        if self.__dict__.get("_by_column") is None:
            self._by_column = np.ascontiguousarray(self.coef_.T, dtype=np.float32)
        scores = np.empty((len(X), len(self.intercept_)))
        for start in range(0, len(X), _ROWS):
            part = X.iloc[start : start + _ROWS]
            weights = self.weights_.transform(part[TEXT].tolist())
            values = (weights.data * self.scale_[weights.indices]).astype(np.float32)
            scaled = csr_array((values, weights.indices, weights.indptr), shape=weights.shape)
            found = scores[start : start + _ROWS]
            found[:] = scaled @ self._by_column + self.intercept_
            near = _sparse(self.landmarks_.similarities(_vectors(part)))
            found[:, : self.landmark_coef_.shape[1]] += near @ self.landmark_coef_
        return scores

    def decision_function(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the sum of the models' scores, shape (n, k); of two classes, those of the second one, shape (n,)."""
        found = self.scores_by_model(X)
        scores = found.reshape(len(X), -1, self.landmark_coef_.shape[1]).sum(axis=1)
        return np.asarray(scores if scores.shape[1] > 1 else scores[:, 0])

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """Return the class with the largest score, shape (n,)."""
        scores = self.decision_function(X)
        best = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return np.asarray(self.classes_[best])

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_by_column"}


def _vectors(X: pd.DataFrame) -> NDArray[np.float64]:
    return X.drop(columns=TEXT).to_numpy(dtype=np.float64)


def _sparse(values: NDArray[np.floating[Any]]) -> csr_array:
    """Return a matrix as a sparse one, since the last digits of a dense product depend on the other rows."""
    rows, columns = values.shape
    bounds = np.arange(rows + 1) * columns
    places = np.tile(np.arange(columns, dtype=np.int32), rows)
    return csr_array((values.ravel(), places, bounds.astype(np.int32)), shape=values.shape)
