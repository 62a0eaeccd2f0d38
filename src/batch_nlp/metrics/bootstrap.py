"""The bootstrap: how far the metrics of one sample of messages can be trusted.

Resampling n messages with replacement is one multinomial draw over the cells of their confusion matrix (Efron and
Tibshirani, An Introduction to the Bootstrap, 1993, chapter 6). Time and memory follow the cells that hold messages,
however many messages and classes there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from batch_nlp.metrics.confusion import ClassCounts

RESAMPLES = 1000
CONFIDENCE = 0.95
# Numbers per block of draws: 8 MB
_BLOCK = 1_000_000


def with_intervals(confusion: NDArray[np.int64], seed: int) -> dict[str, Any]:
    """Return all metrics of a confusion matrix with their 95 % percentile intervals (ibid., chapter 13).

    Parameters
    ----------
    confusion : ndarray of int, shape (k, k)
        Messages by true class (rows) and predicted class (columns).

    Returns
    -------
    dict
        ``f1_weighted``, ``f1_macro`` and ``accuracy``: a dict with ``value``, ``low`` and ``high``, None where the
        metric is undefined. ``precision``, ``recall`` and ``f1``: a list of such dicts, one per class.
    """
    k = len(confusion)
    counts = confusion.ravel()
    drawn = counts > 0
    drawn[-1] = True
    cells = np.flatnonzero(drawn)
    true, predicted = np.divmod(cells, k)
    hits = np.where(true == predicted, true, k)
    draws = ClassCounts(*_resampled(counts[cells], [hits, true, predicted], k, RESAMPLES, seed)).metrics()
    return {
        name: [_interval(one, draws[name][:, index]) for index, one in enumerate(value)]
        if value.ndim
        else _interval(value, draws[name])
        for name, value in ClassCounts.of(confusion).metrics().items()
    }


def lower_bound_of_difference(
    labels: NDArray[np.int64],
    candidate: NDArray[np.int64],
    champion: NDArray[np.int64],
    n_classes: int,
    metric: str,
    resamples: int,
    confidence: float,
    seed: int,
) -> float:
    """Return the lower bound of how much better the candidate is, by the paired percentile bootstrap.

    Paired: both models are measured on the same resampled messages. The bound is one-sided (ibid., chapter 13).

    Parameters
    ----------
    labels, candidate, champion : ndarray of int, shape (n,)
        True class and the two predictions of each message; `n_classes` for a prediction that is never right: of no
        class, or of a class of the champion that the candidate does not know.
    metric : str
        ``f1_weighted`` or ``f1_macro``.
    confidence : float
        Share of the resamples in which the difference is greater.
    """
    k = n_classes
    shape = (k, k + 1, k + 1)
    cells, counts = np.unique(np.ravel_multi_index((labels, candidate, champion), shape), return_counts=True)
    last = int(np.ravel_multi_index((k - 1, k - 1, k - 1), shape))
    if cells[-1] < last:
        cells, counts = np.append(cells, last), np.append(counts, 0)
    true, *sides = np.unravel_index(cells, shape)
    groups = [true, *(group for side in sides for group in (np.where(side == true, true, k), side))]
    support, *found = _resampled(counts, groups, k, resamples, seed)
    candidate_f1, champion_f1 = (
        ClassCounts(hits, support, predicted).mean_f1(metric) for hits, predicted in (found[:2], found[2:])
    )
    return float(np.quantile(candidate_f1 - champion_f1, 1 - confidence))


def _resampled(
    counts: NDArray[np.int64], groups: Sequence[NDArray[np.int64]], n_groups: int, resamples: int, seed: int
) -> list[NDArray[np.int64]]:
    """Return how many messages of each group each resample holds.

    Parameters
    ----------
    counts : ndarray of int, shape (m,)
        Messages in each cell. The last cell of the whole table must be among the cells, even if it is empty: a draw
        gives it what the others leave, so that leaving out other empty cells does not change the draws.
    groups : sequence of ndarray of int, shape (m,)
        For each way to group the cells, the group of each cell; `n_groups` for a cell in no group.

    Returns
    -------
    list of ndarray of int64, shape (resamples, n_groups)
        One array for each way to group.
    """
    m, total = len(counts), int(counts.sum())
    random, cells = np.random.default_rng(seed), np.arange(m)
    members = [csr_array((np.ones(m, np.int64), (cells, of)), shape=(m, n_groups + 1)) for of in groups]
    sums = [np.empty((resamples, n_groups), np.int64) for _ in groups]
    rows = max(1, _BLOCK // m)
    for start in range(0, resamples, rows):
        draws = random.multinomial(total, counts / total, min(rows, resamples - start))
        for target, member in zip(sums, members, strict=True):
            target[start : start + len(draws)] = np.asarray(draws @ member)[:, :n_groups]
    return sums


def _interval(value: Any, draws: NDArray[np.float64]) -> dict[str, float | None]:
    defined = draws[~np.isnan(draws)]
    if np.isnan(value) or not len(defined):
        return {"value": None, "low": None, "high": None}
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(defined, [tail, 100 - tail])
    return {"value": float(value), "low": float(low), "high": float(high)}
