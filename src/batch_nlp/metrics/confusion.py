"""The confusion matrix, and the metrics that are computed from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The metrics that a decision may be tuned for and a model selected by
METRICS = ("f1_weighted", "f1_macro")
# Their names for people, the main one first
METRIC_NAMES = {"f1_macro": "macro F1", "f1_weighted": "weighted F1"}


def confusion_matrix(labels: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """Count messages by true class (rows) and predicted class (columns).

    Parameters
    ----------
    labels, predicted : ndarray of int, shape (n,)
        Classes from 0 to ``n_classes - 1``.

    Returns
    -------
    ndarray of int64, shape (n_classes, n_classes)

    Examples
    --------
    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    cells = np.bincount(labels * n_classes + predicted, minlength=n_classes**2)
    return cells.reshape(n_classes, n_classes)


@dataclass(frozen=True)
class ClassCounts:
    """What the metrics of one or many confusion matrices are computed from; at least one message in each.

    Attributes
    ----------
    hits, support, predicted : ndarray, shape (..., k)
        Messages of each class that are predicted correctly, that have the class as their label, and that are predicted
        to have it. They may be fractions, as in an expected confusion matrix.

    Notes
    -----
    An averaged F1 has one definition everywhere in the project: its average is over the classes that occur among the
    labels. A class without labels says nothing about a model. Messages that are wrongly predicted to have it still
    count against the classes of their labels. It is scikit-learn's ``f1_score(labels, predicted,
    labels=np.unique(labels), zero_division=0)``.

    scikit-learn's default also averages over classes that are only predicted. Then two models that are judged by the
    same messages are averaged over different classes, and one wrong prediction of a fourth class takes a quarter off
    the macro F1 of three. An average over all classes of the model would call a perfect model bad where a slice, a day
    or the labels that have arrived so far lack a class.
    """

    hits: NDArray[Any]
    support: NDArray[Any]
    predicted: NDArray[Any]

    @classmethod
    def of(cls, confusion: NDArray[Any]) -> ClassCounts:
        """Return the counts of confusion matrices, shape (..., k, k)."""
        hits = np.diagonal(confusion, axis1=-2, axis2=-1)
        return cls(hits, confusion.sum(axis=-1), confusion.sum(axis=-2))

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """Share of the messages that are predicted correctly, shape (...)."""
        return np.asarray(self.hits.sum(axis=-1) / self.support.sum(axis=-1))

    @property
    def precision(self) -> NDArray[np.float64]:
        """Precision of each class, shape (..., k); NaN for a class that is never predicted."""
        return _ratio(self.hits, self.predicted, np.nan)

    @property
    def recall(self) -> NDArray[np.float64]:
        """Recall of each class, shape (..., k); NaN for a class without labels."""
        return _ratio(self.hits, self.support, np.nan)

    @property
    def f1(self) -> NDArray[np.float64]:
        """F1 of each class, shape (..., k); NaN for a class that is neither predicted nor among the labels."""
        return _ratio(2 * self.hits, self.support + self.predicted, np.nan)

    def mean_f1(self, metric: str) -> NDArray[np.float64]:
        """Return F1 averaged over the classes that occur among the labels, shape (...).

        Parameters
        ----------
        metric : str
            ``f1_macro`` (every class counts the same) or ``f1_weighted`` (by its number of labels).
        """
        weights = self.support > 0 if metric == "f1_macro" else self.support
        f1 = _ratio(2 * self.hits, self.support + self.predicted, 0.0)
        return np.asarray((f1 * weights).sum(axis=-1) / weights.sum(axis=-1))

    def metrics(self) -> dict[str, NDArray[np.float64]]:
        """Return all metrics by name."""
        return {
            **{name: self.mean_f1(name) for name in METRICS},
            "accuracy": self.accuracy,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
        }


def _ratio(numerator: NDArray[Any], denominator: NDArray[Any], undefined: float) -> NDArray[np.float64]:
    out = np.full(np.shape(denominator), undefined)
    return np.asarray(np.divide(numerator, denominator, out=out, where=denominator > 0))
