"""How far a figure of one hold-out can be trusted: resamples of its messages, and intervals of what they say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

SAMPLES = 1000
CONFIDENCE = 0.95
# Numbers that are drawn together: 8 MB
_BLOCK = 1_000_000


def occupied_cells(cells: NDArray[np.int64], last: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the cells that messages are in, and how many are in each, shapes (m,).

    Parameters
    ----------
    cells : ndarray of int, shape (n,)
        Cell of each message.
    last : int
        A cell that is always among them. A draw gives the last cell what the others leave; with the last one of the
        whole table, it is the same whether or not empty cells are drawn as well.
    """
    found, counts = np.unique(cells, return_counts=True)
    if found[-1] < last:
        found, counts = np.append(found, last), np.append(counts, 0)
    return found, counts.astype(np.int64)


def resampled_sums(
    counts: NDArray[np.int64], groups: Sequence[NDArray[np.int64]], n_groups: int, samples: int, seed: int
) -> list[NDArray[np.int64]]:
    """Return how many messages of each group are in resamples of messages.

    Resampling messages with replacement is a multinomial draw over the cells that they are in (Efron and Tibshirani, An
    Introduction to the Bootstrap, 1993, chapter 6). Time and memory follow the occupied cells, of which there are at
    most as many as messages, whatever the number of classes.

    Parameters
    ----------
    counts : ndarray of int, shape (m,)
        Messages in each cell.
    groups : sequence of ndarray of int, shape (m,)
        For each way to group the cells, the group of each cell; `n_groups` where it belongs to none.

    Returns
    -------
    list of ndarray of int64, shape (samples, n_groups)
        One array for each way to group.
    """
    m, total = len(counts), int(counts.sum())
    random, cells = np.random.default_rng(seed), np.arange(m)
    members = [csr_array((np.ones(m, np.int64), (cells, of)), shape=(m, n_groups + 1)) for of in groups]
    sums = [np.empty((samples, n_groups), np.int64) for _ in groups]
    rows = max(1, _BLOCK // m)
    for start in range(0, samples, rows):
        draws = random.multinomial(total, counts / total, min(rows, samples - start))
        for target, member in zip(sums, members, strict=True):
            target[start : start + len(draws)] = np.asarray(draws @ member)[:, :n_groups]
    return sums


def measures(hits: NDArray[Any], support: NDArray[Any], predicted: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """Return all metrics of predictions.

    Parameters
    ----------
    hits, support, predicted : ndarray, shape (..., k)
        Messages of a class that are predicted to be of it, that are of it, and that are predicted to be of it; at least
        one message in all.

    Returns
    -------
    dict of ndarray of float64
        ``f1_weighted``, ``f1_macro`` and ``accuracy`` of shape (...); ``precision``, ``recall`` and ``f1`` of shape
        (..., k), NaN where a class is never predicted, never true, or neither. Macro F1 is the mean over the classes
        that occur, so that a slice of the data without one of them can be compared with the others.
    """
    hits, total = hits.astype(np.float64), support.sum(axis=-1)
    with np.errstate(invalid="ignore"):
        found = {"precision": hits / predicted, "recall": hits / support, "f1": 2 * hits / (support + predicted)}
    f1 = np.nan_to_num(found["f1"])
    occurring = (support + predicted > 0).sum(axis=-1)
    return {
        "f1_weighted": (f1 * support).sum(axis=-1) / total,
        "f1_macro": f1.sum(axis=-1) / occurring,
        "accuracy": hits.sum(axis=-1) / total,
        **found,
    }


def with_intervals(confusion: NDArray[np.int64], seed: int) -> dict[str, Any]:
    """Return all metrics of a confusion matrix with percentile intervals.

    The intervals are those of the bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).

    Parameters
    ----------
    confusion : ndarray of int, shape (k, k)

    Returns
    -------
    dict
        Of each metric a dict with ``value``, ``low`` and ``high``, None where it is not defined; of those of single
        classes a list of them.
    """
    k = len(confusion)
    cells, counts = occupied_cells(np.repeat(np.arange(k * k), confusion.ravel()), k * k - 1)
    true, predicted = np.divmod(cells, k)
    draws = measures(*resampled_sums(counts, [np.where(true == predicted, true, k), true, predicted], k, SAMPLES, seed))
    tail = 50 * (1 - CONFIDENCE)
    result: dict[str, Any] = {}
    for name, value in measures(np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)).items():
        if value.ndim:
            result[name] = [_interval(value[index], draws[name][:, index], tail) for index in range(k)]
        else:
            result[name] = _interval(value, draws[name], tail)
    return result


def _interval(value: Any, draws: NDArray[np.float64], tail: float) -> dict[str, float | None]:
    defined = draws[~np.isnan(draws)]
    if math.isnan(value) or not len(defined):
        return {"value": None, "low": None, "high": None}
    low, high = np.percentile(defined, [tail, 100 - tail])
    return {"value": float(value), "low": float(low), "high": float(high)}
