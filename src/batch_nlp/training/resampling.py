"""Resamples of messages, for bootstrap intervals and bounds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

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
    n_groups : int
    samples : int
        Number of resamples.
    seed : int
        Seed of the draws.

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
