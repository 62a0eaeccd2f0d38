"""Held-out messages whose given class may be wrong, by confident learning (Northcutt, Jiang and Chuang, 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LabelErrors:
    """What confident learning suspects.

    Parameters
    ----------
    thresholds : ndarray of float64, shape (k,)
        Mean probability of each class over the messages that were given it.
    joint : ndarray of int64, shape (k, k)
        Messages by given class and the class that they confidently belong to.
    suspects : ndarray of int64, shape (n_suspects,)
        Positions of the messages beside the diagonal of `joint`, greatest margin first.
    suggested : ndarray of int64, shape (n_suspects,)
        The classes that they confidently belong to.
    margins : ndarray of float64, shape (n_suspects,)
        Probability of the suggested class less that of the given one.
    share : float
        Estimated share of messages with another true class than the given one.
    """

    thresholds: NDArray[np.float64]
    joint: NDArray[np.int64]
    suspects: NDArray[np.int64]
    suggested: NDArray[np.int64]
    margins: NDArray[np.float64]
    share: float


def find_label_errors(probabilities: NDArray[np.float64], given: NDArray[np.int64]) -> LabelErrors:
    """Return the messages whose given class is doubtful.

    A message confidently belongs to a class if the class's probability is at least the mean that it has over the
    messages of the class; of several such classes, to the most probable one. The counts of given against confident
    class, scaled to the number of messages given each class, estimate the joint distribution of given and true class.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n, k)
        Of messages that the model has not learned from.
    given : ndarray of int, shape (n,)
        Their classes.
    """
    n, k = probabilities.shape
    own = [probabilities[given == index, index] for index in range(k)]
    thresholds = np.array([values.mean() if len(values) else np.inf for values in own])
    reached = np.where(probabilities >= thresholds, probabilities, -1.0)
    confident, best = reached.max(axis=1) >= 0, reached.argmax(axis=1)
    joint = np.bincount(given[confident] * k + best[confident], minlength=k * k).reshape(k, k)
    of_class = joint.sum(axis=1, keepdims=True)
    # a class without any confident message is taken to be right
    shares = np.where(of_class > 0, joint / np.maximum(of_class, 1), np.eye(k))
    right = (np.diag(shares) * np.bincount(given, minlength=k)).sum() / n
    suspects = np.flatnonzero(confident & (best != given))
    margins = probabilities[suspects, best[suspects]] - probabilities[suspects, given[suspects]]
    order = np.argsort(-margins, kind="stable")
    suspects = suspects[order]
    return LabelErrors(thresholds, joint, suspects, best[suspects], margins[order], float(1 - right))
