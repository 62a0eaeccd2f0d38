"""How good a model is on messages that it has not learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batch_nlp.metrics.confusion import METRICS, ClassCounts, confusion_matrix
from batch_nlp.metrics.ordinal import mean_absolute_error, quadratic_kappa


@dataclass(frozen=True)
class Validation:
    """Metrics of a model on held-out messages."""

    classes: list[str]
    # Messages by true class (rows) and predicted class (columns), shape (k, k)
    confusion: NDArray[np.int64]
    # Rank of each class in the order of the labels, shape (k,); None without an order
    ranks: NDArray[np.int64] | None = None

    @classmethod
    def of(
        cls,
        labels: NDArray[np.int64],
        predicted: NDArray[np.int64],
        classes: list[str],
        ranks: NDArray[np.int64] | None = None,
    ) -> Validation:
        """Count the messages by true and predicted class."""
        return cls(classes, confusion_matrix(labels, predicted, len(classes)), ranks)

    @property
    def counts(self) -> ClassCounts:
        """What the metrics are computed from, shapes (k,)."""
        return ClassCounts.of(self.confusion)

    @property
    def predicted_shares(self) -> NDArray[np.float64]:
        """Share of each class among the predictions, shape (k,)."""
        return np.asarray(self.counts.predicted / self.confusion.sum())

    def metric(self, name: str) -> float:
        """Return ``f1_weighted``, ``f1_macro`` or ``accuracy``."""
        return float(self.counts.accuracy if name == "accuracy" else self.counts.mean_f1(name))

    @property
    def ordinal(self) -> dict[str, float | None]:
        """Quadratic weighted kappa and mean absolute error in ranks, empty if the classes have no order.

        A prediction of no class has no rank, so these figures are about the other messages.
        """
        if self.ranks is None:
            return {}
        k = len(self.ranks)
        confusion = self.confusion[:k, :k]
        if not confusion.any():
            return {"quadratic_kappa": None, "mean_absolute_error": None}
        return {
            "quadratic_kappa": quadratic_kappa(confusion, self.ranks),
            "mean_absolute_error": mean_absolute_error(confusion, self.ranks),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return all metrics as JSON values; an undefined precision, recall or F1 of a class is 0."""
        counts = self.counts
        of_classes = {name: np.nan_to_num(getattr(counts, name)).tolist() for name in ("precision", "recall", "f1")}
        of_classes |= {"messages": counts.support.tolist(), "predicted": counts.predicted.tolist()}
        return {
            **{name: self.metric(name) for name in (*METRICS, "accuracy")},
            **self.ordinal,
            "classes": {
                name: {figure: values[index] for figure, values in of_classes.items()}
                for index, name in enumerate(self.classes)
            },
            "confusion": self.confusion.tolist(),
        }
