"""A classifier with balanced classes, calibrated probabilities and a tuned decision."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted

from batch_nlp.config import Balance, Calibration
from batch_nlp.progress import progress
from batch_nlp.storage.scratch import new_array, on_disk
from batch_nlp.training.calibration import Calibrator, calibration_scores, new_calibrator
from batch_nlp.training.decision_weights import SHARES, decide, tune_weights

# With more classes, the logistic calibration has k x k weights and the decision k: both take minutes and gain nothing
MANY_CLASSES = 20


class TunedClassifier(ClassifierMixin, BaseEstimator):
    """Fit a classifier on balanced classes, calibrate its scores, and tune the decision.

    Calibration and decision are fitted on out-of-fold scores, or on the classifier's own validation rows if it has any
    (attributes ``validation_rows_`` and ``validation_probabilities_``). With more than 20 classes, a temperature
    replaces the logistic calibration, and the most probable class is predicted.

    Parameters
    ----------
    estimator : classifier
        Its scores are the logarithms of its probabilities, or its decision function.
    balance : str
        ``none``, ``weights`` (inverse class frequencies) or ``smote`` (synthetic rows between neighbours of the smaller
        classes; Chawla et al., 2002).
    calibration : str
        ``none``, ``temperature``, ``logistic`` or ``isotonic``.
    metric : str or None
        Metric that the decision is tuned for; None predicts the most probable class.
    folds : int
        Folds of the out-of-fold scores.
    random_state : int
        Seed of the folds and of the synthetic rows.

    Attributes
    ----------
    classes_ : ndarray of int, shape (k,)
    estimator_ : classifier
        Fitted on all rows.
    decision_weights_ : ndarray of float64, shape (k,)
        The class with the largest product of probability and weight is predicted.
    """

    def __init__(
        self,
        estimator: Any,
        balance: str = "weights",
        calibration: str = "logistic",
        metric: str | None = "f1_macro",
        folds: int = 3,
        random_state: int = 0,
    ) -> None:
        self.estimator = estimator
        self.balance = balance
        self.calibration = calibration
        self.metric = metric
        self.folds = folds
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: ArrayLike, judged: TunedClassifier | None = None) -> Self:
        """Fit the classifier, the calibration and the decision.

        Parameters
        ----------
        X : DataFrame, shape (n, n_features)
        y : array-like of int, shape (n,)
            Classes.
        judged : TunedClassifier, optional
            A fitted classifier whose calibration and decision, measured on its hold-out, are taken over.
        """
        labels = np.asarray(y)
        self.classes_ = np.unique(labels)
        calibration, metric = Calibration(self.calibration), self.metric
        if len(self.classes_) > MANY_CLASSES:
            metric = SHARES if metric == SHARES else None
            calibration = Calibration.temperature if calibration is Calibration.logistic else calibration
        self.calibrator_: Calibrator = new_calibrator(calibration)
        self.decision_weights_: NDArray[np.float64] = np.ones(len(self.classes_))
        folds = self.folds
        if judged is not None:
            folds = 0
        elif metric is None and not self._needs_unseen():
            # a temperature is one number, for which the messages of one fold are enough
            folds = {Calibration.none: 0, Calibration.temperature: 1}.get(calibration, folds)
        with progress("classifier", "fits", 1 + folds) as advance:
            self.estimator_ = self._fit_balanced(X, labels)
            advance(1)
            rows, scores = self._unseen_scores(X, labels, folds, advance) if folds else (None, None)
        if judged is not None:
            self.calibrator_, self.decision_weights_ = judged.calibrator_, judged.decision_weights_
        if rows is None or scores is None:
            return self
        indices = np.searchsorted(self.classes_, labels[rows])
        self.calibrator_.fit(scores, indices)
        if metric is not None:
            probabilities = self.calibrator_.transform(scores)
            self.decision_weights_ = tune_weights(probabilities, indices, metric, self.random_state)
        self._learn_from_unseen(scores, indices)
        return self

    def _needs_unseen(self) -> bool:
        """Return whether the classifier learns more from unseen messages than calibration and decision weights."""
        return False

    def _learn_from_unseen(self, scores: NDArray[np.float64], indices: NDArray[np.int64]) -> None:
        """Learn more from the scores and classes of unseen messages, once calibration and decision are fitted."""

    def _fit_balanced(self, X: pd.DataFrame, labels: NDArray[Any]) -> Any:
        estimator, balance = clone(self.estimator), Balance(self.balance)
        if balance is Balance.none:
            return estimator.fit(X, labels)
        if balance is Balance.weights:
            return estimator.fit(X, labels, sample_weight=compute_sample_weight("balanced", labels))
        from imblearn.over_sampling import SMOTE

        smallest = int(np.unique(labels, return_counts=True)[1].min())
        sampler = SMOTE(random_state=self.random_state, k_neighbors=min(5, smallest - 1))
        return estimator.fit(*sampler.fit_resample(X, labels))

    def _unseen_scores(
        self, X: pd.DataFrame, labels: NDArray[Any], folds: int, advance: Callable[[int], None]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return rows of some folds, with scores from a classifier that was not fitted on them."""
        if hasattr(self.estimator_, "validation_probabilities_"):
            probabilities = np.asarray(self.estimator_.validation_probabilities_, dtype=np.float64)
            return np.asarray(self.estimator_.validation_rows_), np.log(np.maximum(probabilities, 1e-12))
        splits = StratifiedKFold(self.folds, shuffle=True, random_state=self.random_state).split(labels, labels)
        rows: list[NDArray[np.int64]] = []
        scores: list[NDArray[np.float64]] = []
        for train, hold_out in islice(splits, folds):
            fitted = self._fit_balanced(_rows(X, train), labels[train])
            rows.append(hold_out)
            scores.append(calibration_scores(fitted, _rows(X, hold_out), self.calibrator_))
            advance(1)
        order = np.argsort(np.concatenate(rows))
        return np.concatenate(rows)[order], np.concatenate(scores)[order]

    def discard_checkpoints(self) -> None:
        """Remove the checkpoints of the classifier, if it writes any."""
        discard = getattr(self.estimator_, "discard_checkpoints", None)
        if discard is not None:
            discard()

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return calibrated probabilities, shape (n, k); each row sums to 1."""
        check_is_fitted(self)
        return np.asarray(self.calibrator_.transform(calibration_scores(self.estimator_, X, self.calibrator_)))

    def decide(self, probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the indices of the predicted classes, shape (n,), for probabilities of shape (n, k)."""
        return decide(probabilities, self.decision_weights_)

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """Return the predicted classes, shape (n,)."""
        decided = self.decide(self.predict_proba(X))
        return np.asarray(self.classes_[decided])


def _rows(X: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
    """Return a copy of some rows, in a file where large arrays are kept in files."""
    kinds = set(X.dtypes)
    if not on_disk() or len(kinds) != 1:
        return X.iloc[rows]
    values = new_array((X.shape[1], len(rows)), kinds.pop())
    for column, name in enumerate(X.columns):
        np.take(X[name].to_numpy(), rows, out=values[column], mode="clip")
    return pd.DataFrame(values.T, index=X.index[rows], columns=X.columns, copy=False)
