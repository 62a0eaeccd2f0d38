"""Metrics of classes with an order, computed from the confusion matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def quadratic_kappa(confusion: NDArray[np.int64], ranks: NDArray[np.int64]) -> float | None:
    """Return Cohen's kappa with quadratic weights (Cohen, 1968): 1 for perfect agreement, 0 for chance.

    Parameters
    ----------
    confusion : ndarray of int64, shape (k, k)
        Messages by true class (rows) and predicted class (columns).
    ranks : ndarray of int64, shape (k,)
        Rank of each class in the order.

    Returns
    -------
    float or None
        None if all labels and predictions are of one class.

    Examples
    --------
    >>> quadratic_kappa(np.array([[2, 0], [1, 1]]), np.array([0, 1]))
    0.5
    """
    weights = (ranks[:, np.newaxis] - ranks) ** 2
    expected = np.outer(confusion.sum(axis=1), confusion.sum(axis=0)) / confusion.sum()
    by_chance = float((weights * expected).sum())
    return 1 - float((weights * confusion).sum()) / by_chance if by_chance else None


def mean_absolute_error(confusion: NDArray[np.int64], ranks: NDArray[np.int64]) -> float:
    """Return how many ranks a prediction is off on average; parameters as for `quadratic_kappa`."""
    off = np.abs(ranks[:, np.newaxis] - ranks)
    return float((off * confusion).sum() / confusion.sum())
