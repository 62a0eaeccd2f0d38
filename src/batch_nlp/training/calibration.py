"""Calibration: from a classifier's scores to probabilities, and how far they can be trusted."""

from __future__ import annotations

from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from batch_nlp.config import Calibration

# Bins of the calibration error and of the reliability plot
RELIABILITY_BINS = 15
_LEAST = 1e-12


class Calibrator(Protocol):
    """Turns scores into probabilities; fitted on messages that the classifier was not fitted on."""

    def fit(self, scores: NDArray[np.float64], labels: NDArray[np.int64]) -> Self:
        """Learn from scores, shape (n, k), and classes 0 to k - 1, shape (n,); see `calibration_scores`."""
        ...

    def transform(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities, shape (n, k); each row sums to 1."""
        ...


class TemperatureCalibrator(BaseEstimator):
    """Softmax of the scores divided by one temperature, chosen by maximum likelihood (Guo et al., 2017)."""

    def fit(self, scores: NDArray[np.float64], labels: NDArray[np.int64]) -> Self:
        """Learn the temperature."""
        rows = np.arange(len(labels))

        def loss(log_temperature: float) -> float:
            return -float(log_softmax(scores / np.exp(log_temperature), axis=1)[rows, labels].mean())

        self.temperature_ = float(np.exp(minimize_scalar(loss, bounds=(-5, 5), method="bounded").x))
        return self

    def transform(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities."""
        return np.asarray(softmax(scores / self.temperature_, axis=1))


# Products held in memory at a time
_PRODUCTS = 2**22


class LogisticCalibrator(BaseEstimator):
    """Multinomial logistic regression on the scores: Platt's scaling for several classes.

    It also undoes the effect of class weights on the shares of the classes.
    """

    def fit(self, scores: NDArray[np.float64], labels: NDArray[np.int64]) -> Self:
        """Learn weights and intercepts."""
        model = LogisticRegression(max_iter=1000).fit(scores, labels)
        self.coef_, self.intercept_ = model.coef_, model.intercept_
        if len(self.coef_) == 1:  # two classes: the log-odds of the second one
            self.coef_ = np.vstack([np.zeros_like(self.coef_), self.coef_])
            self.intercept_ = np.append(0.0, self.intercept_)
        return self

    def transform(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities."""
        margins = np.empty((len(scores), len(self.coef_)))
        # in blocks: each row has a product for every pair of classes
        size = max(_PRODUCTS // self.coef_.size, 1)
        for start in range(0, len(scores), size):
            rows = slice(start, start + size)
            # not a matrix product, whose last digits depend on the other rows
            margins[rows] = self.intercept_ + (scores[rows, np.newaxis, :] * self.coef_).sum(axis=2)
        return np.asarray(softmax(margins, axis=1))


class IsotonicCalibrator(BaseEstimator):
    """One increasing function per class, each class against the others (Zadrozny and Elkan, 2002).

    Attributes
    ----------
    scores_, probabilities_ : list of ndarray of float64
        Corners of the piecewise linear function of each class.
    """

    def fit(self, scores: NDArray[np.float64], labels: NDArray[np.int64]) -> Self:
        """Learn the functions."""
        self.scores_: list[NDArray[np.float64]] = []
        self.probabilities_: list[NDArray[np.float64]] = []
        for index, column in enumerate(softmax(scores, axis=1).T):
            function = IsotonicRegression(y_min=0, y_max=1).fit(column, labels == index)
            self.scores_.append(np.asarray(function.X_thresholds_))
            self.probabilities_.append(np.asarray(function.y_thresholds_))
        return self

    def transform(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities."""
        columns = [
            np.interp(column, corners, values)
            for column, corners, values in zip(
                softmax(scores, axis=1).T, self.scores_, self.probabilities_, strict=True
            )
        ]
        found = np.maximum(np.stack(columns, axis=1), _LEAST)
        return np.asarray(found / found.sum(axis=1, keepdims=True))


class SoftmaxCalibrator(BaseEstimator):
    """No calibration: the classifier's own probabilities, recovered from their logarithms."""

    def fit(self, scores: NDArray[np.float64], labels: NDArray[np.int64]) -> Self:
        """Learn nothing."""
        return self

    def transform(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities."""
        return np.asarray(softmax(scores, axis=1))


_CALIBRATORS: dict[Calibration, type[Calibrator]] = {
    Calibration.none: SoftmaxCalibrator,
    Calibration.temperature: TemperatureCalibrator,
    Calibration.logistic: LogisticCalibrator,
    Calibration.isotonic: IsotonicCalibrator,
}


def new_calibrator(kind: Calibration) -> Calibrator:
    """Return an unfitted calibrator."""
    return _CALIBRATORS[kind]()


def class_scores(estimator: Any, X: Any) -> NDArray[np.float64]:
    """Return a classifier's scores, shape (n, k): logarithms of its probabilities, or its decision function."""
    if hasattr(estimator, "predict_proba"):
        return np.log(np.maximum(np.asarray(estimator.predict_proba(X), dtype=np.float64), _LEAST))
    scores = np.asarray(estimator.decision_function(X), dtype=np.float64)
    return np.stack([-scores, scores], axis=1) if scores.ndim == 1 else scores


def calibration_scores(estimator: Any, X: Any, calibrator: Calibrator) -> NDArray[np.float64]:
    """Return the scores that a calibrator reads: those of all models of a classifier if the calibrator weighs them."""
    if isinstance(calibrator, LogisticCalibrator) and hasattr(estimator, "scores_by_model"):
        return np.asarray(estimator.scores_by_model(X), dtype=np.float64)
    return class_scores(estimator, X)


def reliability(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> list[dict[str, float]]:
    """Return how often the most probable class is right, by confidence in bins of equal width.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n, k)
    labels : ndarray of int, shape (n,)

    Returns
    -------
    list of dict
        ``messages``, mean ``confidence`` and ``accuracy`` of each bin with messages.
    """
    confidence = probabilities.max(axis=1)
    hit = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * RELIABILITY_BINS).astype(int), RELIABILITY_BINS - 1)
    return [
        {
            "messages": int(rows.sum()),
            "confidence": float(confidence[rows].mean()),
            "accuracy": float(hit[rows].mean()),
        }
        for rows in (bins == number for number in range(RELIABILITY_BINS))
        if rows.any()
    ]


def calibration_error(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return the expected calibration error: the mean gap between confidence and accuracy (Naeini et al., 2015)."""
    bins = reliability(probabilities, labels)
    gaps = [found["messages"] * abs(found["confidence"] - found["accuracy"]) for found in bins]
    return float(sum(gaps) / len(labels))
