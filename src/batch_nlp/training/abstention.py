"""Abstention: a model that is too unsure of a message predicts none of the classes."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score

from batch_nlp.dataset.abstain import COVERAGE
from batch_nlp.training.tuned_classifier import TunedClassifier

# Assumed share of out-of-scope messages among those that arrive: few, as in most streams
_OUTSIDE = 0.1
# Shares of the surest messages for which the card shows the share of mistakes
_COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.5)


class AbstainingClassifier(TunedClassifier):
    """A `TunedClassifier` that predicts no class of messages whose most probable class is too improbable.

    The threshold is chosen on the same out-of-fold probabilities as the calibration and the decision weights.

    Parameters
    ----------
    coverage : float or None
        Share of the out-of-fold messages that is answered. None learns the threshold from out-of-scope messages, see
        `best_threshold`.

    Attributes
    ----------
    threshold_ : float
        Lowest probability of the most probable class with which a class is predicted.
    """

    threshold_: float

    def __init__(
        self,
        estimator: Any,
        balance: str = "weights",
        calibration: str = "logistic",
        metric: str | None = "f1_macro",
        folds: int = 3,
        random_state: int = 0,
        coverage: float | None = COVERAGE,
    ) -> None:
        super().__init__(estimator, balance, calibration, metric, folds, random_state)
        self.coverage = coverage

    def fit(
        self,
        X: pd.DataFrame,
        y: ArrayLike,
        judged: TunedClassifier | None = None,
        outside: pd.DataFrame | None = None,
    ) -> Self:
        """Fit the classifier, the calibration, the decision and the threshold.

        Parameters
        ----------
        X, y, judged
            As in `TunedClassifier.fit`; `judged` also hands over its threshold.
        outside : DataFrame, shape (n_outside, n_features), optional
            Out-of-scope messages, on which nothing but the threshold is fitted.
        """
        super().fit(X, y, judged)
        if isinstance(judged, AbstainingClassifier):
            self.threshold_ = judged.threshold_
            return self
        probabilities, indices = self.__dict__.pop("_unseen")
        sure, right = probabilities.max(axis=1), decide_right(self, probabilities, indices)
        if self.coverage is not None or outside is None:
            self.threshold_ = threshold_for_coverage(sure, COVERAGE if self.coverage is None else self.coverage)
        else:
            self.threshold_ = best_threshold(sure, right, self.predict_proba(outside).max(axis=1))
        return self

    def _needs_unseen(self) -> bool:
        return True

    def _learn_from_unseen(self, scores: NDArray[np.float64], indices: NDArray[np.int64]) -> None:
        self._unseen = self.calibrator_.transform(scores), indices

    def decide(self, probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the indices of the predicted classes, shape (n,), k for no class, from probabilities, shape (n, k)."""
        unsure = probabilities.max(axis=1, initial=0.0) < self.threshold_
        return np.where(unsure, probabilities.shape[1], super().decide(probabilities))

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """Return the predicted classes, shape (n,); the class after the last one stands for none of them."""
        return np.append(self.classes_, self.classes_[-1] + 1)[self.decide(self.predict_proba(X))]


def decide_right(
    classifier: TunedClassifier, probabilities: NDArray[np.float64], indices: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which messages would be answered correctly without abstention, shape (n,)."""
    return np.asarray(TunedClassifier.decide(classifier, probabilities) == indices)


def threshold_for_coverage(confidence: NDArray[np.float64], coverage: float) -> float:
    """Return the threshold that at least the share `coverage` of the messages reaches, from their confidence."""
    unsure = np.sort(confidence)
    return float(unsure[int(np.floor((1 - coverage) * len(unsure) + 1e-9))])


def best_threshold(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], outside: NDArray[np.float64], share: float = _OUTSIDE
) -> float:
    """Return the threshold with the most correct outcomes where `share` of the messages are out of scope.

    A correct outcome is the right class, or none for an out-of-scope message. Of equally good thresholds, the smallest
    is returned.

    Parameters
    ----------
    confidence : ndarray of float64, shape (n,)
    right : ndarray of bool, shape (n,)
        Whether each of these messages is answered correctly without abstention.
    outside : ndarray of float64, shape (n_outside,)
        Confidence of the out-of-scope messages.
    """
    # a threshold above an out-of-scope message abstains from it
    tried = np.append(0.0, np.nextafter(np.unique(outside), np.inf))
    lost = np.searchsorted(np.sort(confidence[right]), tried) / len(confidence)
    answered = 1 - np.searchsorted(np.sort(outside), tried) / len(outside)
    return float(tried[np.argmin((1 - share) * lost + share * answered)])


def abstention_facts(
    classifier: TunedClassifier,
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    outside: NDArray[np.float64],
) -> dict[str, Any] | None:
    """Return how well a classifier abstains on held-out messages, as JSON values; None if it does not abstain.

    Parameters
    ----------
    probabilities, truth
        Of the held-out messages with a class, shapes (n, k) and (n,).
    outside : ndarray of float64, shape (n_outside, k)
        Probabilities of the held-out out-of-scope messages.

    Returns
    -------
    dict
        ``threshold``; ``coverage``, the share of messages with a class that are answered; ``accuracy``, their share
        that is answered correctly, and ``accuracy_of_answered``; ``risk_at_coverage``, the share of mistakes among the
        surest messages, by the share of these; ``out_of_scope``, the number of out-of-scope messages, their
        ``out_of_scope_recall``, the share without a class, and ``auc``, the probability that a message with a class is
        surer than an out-of-scope one. Without out-of-scope messages, ``out_of_scope_recall`` and ``auc`` are None.
    """
    if not isinstance(classifier, AbstainingClassifier):
        return None
    predicted, sure = classifier.decide(probabilities), probabilities.max(axis=1)
    answered, right = predicted < probabilities.shape[1], predicted == truth
    order = np.argsort(-sure, kind="stable")
    wrong = ~decide_right(classifier, probabilities, truth)[order]
    sizes = {share: max(round(share * len(sure)), 1) for share in _COVERAGES}
    found: dict[str, Any] = {"out_of_scope_recall": None, "auc": None}
    if len(outside):
        both = np.append(sure, outside.max(axis=1))
        found = {
            "out_of_scope_recall": float((classifier.decide(outside) == outside.shape[1]).mean()),
            "auc": float(roc_auc_score(np.arange(len(both)) < len(sure), both)),
        }
    return {
        "threshold": classifier.threshold_,
        "learned": classifier.coverage is None,
        "coverage": float(answered.mean()),
        "accuracy": float(right.mean()),
        "accuracy_of_answered": float(right[answered].mean()) if answered.any() else None,
        "risk_at_coverage": [{"coverage": share, "risk": float(wrong[:n].mean())} for share, n in sizes.items()],
        "out_of_scope": len(outside),
        **found,
    }
