"""How good a model is on messages that it has not learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batch_nlp.metrics.confusion import METRICS, ClassCounts, confusion_matrix


@dataclass(frozen=True)
class Validation:
    """Metrics of a model on held-out messages."""

    classes: list[str]
    # Messages by true class (rows) and predicted class (columns), shape (k, k)
    confusion: NDArray[np.int64]

    @classmethod
    def of(cls, labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: list[str]) -> Validation:
        """Count the messages by true and predicted class."""
        return cls(classes, confusion_matrix(labels, predicted, len(classes)))

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

    def to_dict(self) -> dict[str, Any]:
        """Return all metrics as JSON values; an undefined precision, recall or F1 of a class is 0."""
        counts = self.counts
        of_classes = {name: np.nan_to_num(getattr(counts, name)).tolist() for name in ("precision", "recall", "f1")}
        of_classes |= {"messages": counts.support.tolist(), "predicted": counts.predicted.tolist()}
        return {
            **{name: self.metric(name) for name in (*METRICS, "accuracy")},
            "classes": {
                name: {figure: values[index] for figure, values in of_classes.items()}
                for index, name in enumerate(self.classes)
            },
            "confusion": self.confusion.tolist(),
        }
