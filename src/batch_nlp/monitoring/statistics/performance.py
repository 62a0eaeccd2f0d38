"""How good predictions are: expected from their probabilities, or measured against labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batch_nlp.monitoring.analysis import Performance


def estimate(probabilities: NDArray[np.float64], predicted: NDArray[np.int64]) -> Performance:
    """Return the performance that calibrated probabilities promise, without any label.

    A message with probability 0.7 of a class counts as 0.7 of a message of that class in the confusion matrix. The
    metrics of this expected matrix estimate those of the real one. That holds while the probabilities stay calibrated:
    it sees that messages have become harder, and not that words have changed their meaning. Source: confidence-based
    performance estimation (CBPE), in NannyML's documentation under "How it works", "Performance estimation".

    Parameters
    ----------
    probabilities : ndarray of float, shape (n, k)
        Calibrated class probabilities; rows sum to 1.
    predicted : ndarray of int, shape (n,)
        Predicted classes, not necessarily the most probable ones.

    Returns
    -------
    Performance
        A class that is neither predicted nor has any probability has F1 0.

    Raises
    ------
    ValueError
        If there is no message.
    """
    k = probabilities.shape[1]
    # true classes in rows: column j of the probabilities, summed by what was predicted
    rows = [np.bincount(predicted, weights=probabilities[:, j], minlength=k) for j in range(k)]
    return _of(np.stack(rows), len(predicted))


def measure(labels: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int) -> Performance:
    """Return the performance of predictions whose labels have come.

    Parameters
    ----------
    labels, predicted : ndarray of int, shape (n,)
        True and predicted classes, below ``n_classes``.
    n_classes : int

    Returns
    -------
    Performance
        A class that neither occurs nor is predicted has F1 0, as in scikit-learn.

    Raises
    ------
    ValueError
        If there is no message.
    """
    cells = np.bincount(labels * n_classes + predicted, minlength=n_classes**2)
    return _of(cells.reshape(n_classes, n_classes), len(labels))


def _of(confusion: NDArray[np.floating] | NDArray[np.integer], messages: int) -> Performance:
    """Return the metrics of messages by true class (rows) and predicted class (columns)."""
    if messages == 0:
        raise ValueError("The performance of no messages is not defined; leave batches without messages out.")
    hits, support = np.diag(confusion), confusion.sum(axis=1)
    both = support + confusion.sum(axis=0)
    f1 = np.divide(2 * hits, both, out=np.zeros(len(confusion)), where=both > 0)
    return Performance(
        messages=messages,
        accuracy=float(hits.sum() / messages),
        f1_macro=float(f1.mean()),
        f1_weighted=float((f1 * support).sum() / support.sum()),
    )
