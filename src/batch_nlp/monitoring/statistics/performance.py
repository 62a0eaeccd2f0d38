"""How good predictions are: estimated from their probabilities, or measured against labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batch_nlp.metrics.confusion import ClassCounts
from batch_nlp.monitoring.findings import Performance


def estimate(probabilities: NDArray[np.float64], predicted: NDArray[np.int64]) -> Performance:
    """Return the performance that calibrated probabilities promise, without any label.

    A message with probability 0.7 of a class counts as 0.7 messages of that class. The metrics of this expected
    confusion matrix estimate those of the real one as long as the probabilities stay calibrated: the estimate notices
    that messages have become harder, but not that words have changed their meaning. Source: confidence-based
    performance estimation (CBPE), in NannyML's documentation under "How it works", "Performance estimation".

    The probabilities, shape (n, k), are those of at least one message; the predicted classes, shape (n,), need not be
    the most probable ones.
    """
    k = probabilities.shape[1]
    size = max(k, int(predicted.max(initial=0)) + 1)  # a model that abstains predicts k for no class
    confusion = np.zeros((size, size))
    # true classes in rows: column j of the probabilities, summed by what was predicted
    for j in range(k):
        confusion[j] = np.bincount(predicted, weights=probabilities[:, j], minlength=size)
    return measure(confusion, len(predicted))


def measure(confusion: NDArray[np.floating] | NDArray[np.integer], messages: int | None = None) -> Performance:
    """Return the performance of predictions from the messages by true class (rows) and predicted class (columns).

    Where the matrix holds fractions, `messages` is their number. Raises a `ValueError` if there are none.
    """
    messages = int(confusion.sum()) if messages is None else messages
    if messages == 0:
        raise ValueError("The performance of no messages is undefined; leave out batches without messages.")
    counts = ClassCounts.of(confusion)
    return Performance(
        messages=messages,
        accuracy=float(counts.hits.sum() / messages),
        f1_macro=float(counts.mean_f1("f1_macro")),
        f1_weighted=float(counts.mean_f1("f1_weighted")),
    )
