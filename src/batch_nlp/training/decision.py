"""From probabilities to a class: one weight a class, tuned for a metric."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batch_nlp.training.validate import f1_of_counts

# steps in which the logarithm of a class's weight is searched, and how far
_GRID = np.round(np.arange(-2.0, 2.0001, 0.1), 1)
_ROUNDS = 10
# F1 as a function of the weights is a rugged plateau: the mean over resamples lies in its middle
_RESAMPLES = 20
# messages of a resample at most: more say nothing more of a weight
_MOST = 100_000


def decide(probabilities: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the class whose weighted probability is greatest, shape (n,).

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n, k)
    weights : ndarray of float64, shape (k,)
        All 1 takes the most probable class.
    """
    return np.asarray((probabilities * weights).argmax(axis=1), dtype=np.int64)


def tune_weights(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], metric: str, seed: int
) -> NDArray[np.float64]:
    """Return class weights with which the decision has a great metric: the mean over bootstrap resamples of the best.

    With F1 as the metric, the most probable class is not the best decision: the threshold of a class that maximises
    its F1 lies at half of that F1, not at one half (Lipton et al., 2014).

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n, k)
        Of messages that the classifier has not learned from.
    labels : ndarray of int, shape (n,)
        Their classes.
    metric : str
        ``f1_macro`` or ``f1_weighted``.
    seed : int
        Seed of the resamples.

    Returns
    -------
    ndarray of float64, shape (k,)
        The largest class's weight is 1.
    """
    logs = np.log(np.maximum(probabilities, 1e-12))
    fixed = int(np.bincount(labels, minlength=logs.shape[1]).argmax())
    draws = np.random.default_rng(seed).integers(0, len(labels), (_RESAMPLES, min(len(labels), _MOST)))
    return np.asarray(
        np.exp(np.mean([_best_offsets(logs[draw], labels[draw], metric, fixed) for draw in draws], axis=0))
    )


def _best_offsets(logs: NDArray[np.float64], labels: NDArray[np.int64], metric: str, fixed: int) -> NDArray[np.float64]:
    """Return what to add to logarithms of probabilities for the greatest metric, by coordinate search, shape (k,)."""
    k = logs.shape[1]
    offsets = np.zeros(k)
    best = _metric(logs, labels, metric)
    for _ in range(_ROUNDS):
        before = best
        for index in range(k):
            if index == fixed:
                continue
            for step in _GRID[np.argsort(np.abs(_GRID), kind="stable")]:
                tried = offsets.copy()
                tried[index] = step
                found = _metric(logs + tried, labels, metric)
                if found > best:
                    best, offsets = found, tried
        if best == before:
            break
    return offsets


def _metric(scores: NDArray[np.float64], labels: NDArray[np.int64], metric: str) -> float:
    k = scores.shape[1]
    cells = np.bincount(labels * k + scores.argmax(axis=1), minlength=k * k)
    return float(f1_of_counts(cells.reshape(k, k), metric))
