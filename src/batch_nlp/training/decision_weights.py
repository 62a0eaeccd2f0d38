"""The decision: one weight per class, tuned for a metric, turns probabilities into a class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batch_nlp.metrics.confusion import ClassCounts

# Logarithms of a class's weight that the search tries
_GRID = np.round(np.arange(-2.0, 2.0001, 0.1), 1)
# Smallest steps first: the smallest one that reaches the best metric is taken
_ORDER = np.argsort(np.abs(_GRID), kind="stable")
_ROUNDS = 10
# F1 as a function of the weights is a rugged plateau; the mean over resamples lies in its middle
_RESAMPLES = 20
# Most messages per resample; more do not make a weight more precise
_MOST = 100_000
# The metric for which predicted shares equal true shares; most rounds of its search, and its largest offset
SHARES = "shares"
_SHARE_ROUNDS, _LARGEST = 200, 5.0


def decide(probabilities: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the class with the highest weighted probability, shape (n,).

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n, k)
    weights : ndarray of float64, shape (k,)
        With all weights 1, the most probable class.
    """
    return np.asarray((probabilities * weights).argmax(axis=1), dtype=np.int64)


def tune_weights(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], metric: str, seed: int
) -> NDArray[np.float64]:
    """Return the class weights that maximise a metric, averaged over bootstrap resamples, or that give the true shares.

    For F1, the most probable class is not the best decision: the threshold that maximises the F1 of a class is half of
    that F1, not one half (Lipton et al., 2014).

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n, k)
        Of messages that the classifier was not fitted on.
    labels : ndarray of int, shape (n,)
        Their classes.
    metric : str
        ``f1_macro`` or ``f1_weighted``; ``shares`` makes the shares of the predicted classes equal those of the labels.

    Returns
    -------
    ndarray of float64, shape (k,)
        The largest class's weight is 1.
    """
    logs = np.log(np.maximum(probabilities, 1e-12))
    fixed = int(np.bincount(labels, minlength=logs.shape[1]).argmax())
    if metric == SHARES:
        rows = np.random.default_rng(seed).permutation(len(labels))[:_MOST]
        found = _offsets_for_shares(logs[rows], np.bincount(labels[rows], minlength=logs.shape[1]))
        return np.asarray(np.exp(found - found[fixed]))
    draws = np.random.default_rng(seed).integers(0, len(labels), (_RESAMPLES, min(len(labels), _MOST)))
    return np.asarray(
        np.exp(np.mean([_best_offsets(logs[draw], labels[draw], metric, fixed) for draw in draws], axis=0))
    )


def _offsets_for_shares(logs: NDArray[np.float64], wanted: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the logarithms of the weights with which each class is predicted as often as wanted, shape (k,).

    In each round, each class's offset moves towards its number of predictions, by a step that halves where the class
    was too frequent in one of two rounds and too rare in the other. Equal probabilities may leave a remainder; then the
    round with the fewest messages too many is taken.
    """
    offsets = np.zeros(logs.shape[1])
    best, fewest, steps, before = offsets, np.inf, np.full(logs.shape[1], 0.5), np.zeros(logs.shape[1])
    for _ in range(_SHARE_ROUNDS):
        predicted = np.bincount((logs + offsets).argmax(axis=1), minlength=len(wanted))
        missing = wanted - predicted
        too_many = np.abs(missing).sum()
        if too_many < fewest:
            best, fewest = offsets, too_many
        if not too_many:
            break
        steps = np.where(np.sign(missing) * before < 0, steps / 2, np.minimum(steps * 1.1, 0.5))
        before = np.sign(missing)
        change = np.log((wanted + 1) / (predicted + 1))
        offsets = np.clip(offsets + steps * change, -_LARGEST, _LARGEST)
    return best


def _best_offsets(logs: NDArray[np.float64], labels: NDArray[np.int64], metric: str, fixed: int) -> NDArray[np.float64]:
    """Return the logarithms of the weights that maximise a metric, by coordinate search, shape (k,)."""
    n, k = logs.shape
    scores, offsets = logs.copy(), np.zeros(k)
    first, second = _two_best(scores)
    best = float(_metric_by_step(labels, first, np.ones(n, np.int64), fixed, 1, k, metric)[0])
    for _ in range(_ROUNDS):
        before = best
        for index in range(k):
            if index == fixed:
                continue
            rival = np.where(first == index, second, first)
            lost = _steps_lost(logs[:, index], scores[np.arange(n), rival], rival < index)
            found = _metric_by_step(labels, rival, lost, index, len(_GRID), k, metric)
            step = _ORDER[found[_ORDER].argmax()]
            if found[step] > best:
                best, offsets[index] = float(found[step]), _GRID[step]
                scores[:, index] = logs[:, index] + _GRID[step]
                first, second = _two_best(scores)
        if best == before:
            break
    return offsets


def _two_best(scores: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the best and second-best class of each message, shapes (n,)."""
    first = scores.argmax(axis=1)
    others = scores.copy()
    others[np.arange(len(scores)), first] = -np.inf
    return first, others.argmax(axis=1)


def _steps_lost(
    own: NDArray[np.float64], rival: NDArray[np.float64], wins_ties: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return the number of grid steps at which a class still loses to its rival, shape (n,), by bisection."""
    lost = np.zeros(len(own), np.int64)
    for half in 2 ** np.arange(len(_GRID).bit_length())[::-1]:
        tried = np.minimum(lost + half, len(_GRID))
        score = own + _GRID[tried - 1]
        lost = np.where((score < rival) | ((score == rival) & wins_ties), tried, lost)
    return lost


def _metric_by_step(
    labels: NDArray[np.int64],
    rival: NDArray[np.int64],
    lost: NDArray[np.int64],
    index: int,
    steps: int,
    k: int,
    metric: str,
) -> NDArray[np.float64]:
    """Return the metric at each step, shape (steps,), if a message moves to class `index` after its `lost` steps."""

    def up_to(of: NDArray[np.int64], where: NDArray[np.bool_] | slice) -> NDArray[np.int64]:
        cells = np.bincount(of[where] * (steps + 1) + lost[where], minlength=k * (steps + 1))
        return cells.reshape(k, steps + 1).cumsum(axis=1)

    def at(own: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
        found = (others[:, -1:] - others)[:, :steps].T.copy()
        found[:, index] += own[index, :steps]
        return found

    everyone = np.full(len(labels), index)
    hits = at(up_to(everyone, labels == index), up_to(rival, rival == labels))
    predicted = at(up_to(everyone, slice(None)), up_to(rival, slice(None)))
    return ClassCounts(hits, np.bincount(labels, minlength=k), predicted).mean_f1(metric)
