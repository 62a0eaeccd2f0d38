"""Step `validate`: how good a model is on messages that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

METRICS = ("f1_weighted", "f1_macro")


@dataclass(frozen=True)
class Validation:
    """Metrics of a model on held-out messages."""

    classes: list[str]
    # Messages by true class (rows) and predicted class (columns), shape (k, k)
    confusion: NDArray[np.int64]

    @classmethod
    def of(cls, labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: list[str]) -> Validation:
        """Count the messages by true and predicted class."""
        return cls(classes, confusion_matrix(labels, predicted, labels=range(len(classes))))

    @property
    def recalls(self) -> NDArray[np.float64]:
        """Recall of each class, shape (k,)."""
        return np.asarray(np.diag(self.confusion) / np.maximum(self.confusion.sum(axis=1), 1))

    @property
    def predicted_shares(self) -> NDArray[np.float64]:
        """Share of each class among the predictions, shape (k,)."""
        return np.asarray(self.confusion.sum(axis=0) / self.confusion.sum())

    def metric(self, name: str) -> float:
        """Return a metric by name: ``f1_weighted``, ``f1_macro`` (of the classes that occur) or ``accuracy``."""
        if name == "accuracy":
            return float(np.trace(self.confusion) / self.confusion.sum())
        hits, support, predicted = np.diag(self.confusion), self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        there = support > 0
        return float(mean_f1(hits[there], support[there], predicted[there], name))

    def to_dict(self) -> dict[str, Any]:
        """Return all metrics as JSON values."""
        support, predicted = self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        hits = np.diag(self.confusion)
        return {
            **{name: self.metric(name) for name in (*METRICS, "accuracy")},
            "classes": {
                name: {
                    "precision": float(hits[index] / max(predicted[index], 1)),
                    "recall": float(self.recalls[index]),
                    "f1": float(2 * hits[index] / max(support[index] + predicted[index], 1)),
                    "messages": int(support[index]),
                    "predicted": int(predicted[index]),
                }
                for index, name in enumerate(self.classes)
            },
            "confusion": self.confusion.tolist(),
        }


def f1_of_counts(confusion: NDArray[Any], metric: str) -> NDArray[np.float64]:
    """Return F1 averaged over classes, from confusion matrices.

    Parameters
    ----------
    confusion : ndarray, shape (..., k, k)
        Messages by true class and predicted class.
    metric : str
        ``f1_macro`` (each class counts the same) or ``f1_weighted`` (by the number of its messages).

    Returns
    -------
    ndarray of float64, shape (...)
        A class that neither occurs nor is predicted has F1 0, as in scikit-learn.
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    return mean_f1(hits, confusion.sum(axis=-1), confusion.sum(axis=-2), metric)


def mean_f1(hits: NDArray[Any], support: NDArray[Any], predicted: NDArray[Any], metric: str) -> NDArray[np.float64]:
    """Return F1 averaged over classes, as `f1_of_counts`, from what it takes of each class.

    Parameters
    ----------
    hits, support, predicted : ndarray, shape (..., k)
        Messages of a class that are predicted to be of it, that are of it, and that are predicted to be of it.
    """
    f1 = 2 * hits / np.maximum(support + predicted, 1)
    if metric == "f1_macro":
        return np.asarray(f1.mean(axis=-1))
    return np.asarray((f1 * support).sum(axis=-1) / np.maximum(support.sum(axis=-1), 1))
