"""Distances between two samples of counts, and how often chance alone makes them that large."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr

# Counts of many pairs of samples, shape (..., k), to one distance per pair, shape (...)
OfRows = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]

# Distances that differ by rounding alone are equal
ROUNDING = 1e-9
# Counts per block of distances: 8 MB
_BLOCK = 1_000_000


@dataclass(frozen=True)
class Distance:
    """A distance between two samples of counts, shape (k,), over the same k categories.

    Categories that occur in neither sample are left out. The distance to an empty sample is 0.
    """

    # Computes the distances of many pairs at once
    of_rows: OfRows

    def __call__(self, counts: ArrayLike, other: ArrayLike) -> float:
        """Return the distance of one pair of samples."""
        mine, others = _occurring(counts, other)
        if not mine.any() or not others.any():
            return 0.0
        return float(self.of_rows(mine, others))


def null_p_value(distance: Distance, counts: ArrayLike, other: ArrayLike, resamples: int, seed: int) -> float:
    """Return how often two samples of these sizes from one population are at least as far apart.

    Both samples are drawn from their pooled shares, so that the null distribution depends on the two sizes. A fixed
    threshold ignores them: with 30 messages and three classes, chance alone puts the population stability index above
    0.1 in a fifth of all batches.

    Returns
    -------
    float
        (1 + draws at least as far apart) / (1 + resamples), which is never 0; 1 if a sample is empty. Source: A. C.
        Davison, D. V. Hinkley, Bootstrap Methods and their Application, 1997, chapter 4.
    """
    mine, others = _occurring(counts, other)
    n, m = int(mine.sum()), int(others.sum())
    if n == 0 or m == 0:
        return 1.0
    pooled = (mine + others) / (n + m)
    random = np.random.default_rng(seed)
    drawn = (random.multinomial(size, pooled, resamples) for size in (n, m))
    blocks = zip(*(np.array_split(rows, 1 + rows.size // _BLOCK) for rows in drawn), strict=True)
    draws = np.concatenate([distance.of_rows(*block) for block in blocks])
    at_least_as_far = int((draws >= distance(mine, others) * (1 - ROUNDING)).sum())
    return (1 + at_least_as_far) / (1 + resamples)


def _occurring(counts: ArrayLike, other: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the counts of the categories that occur in at least one sample."""
    mine, others = np.asarray(counts, dtype=np.int64), np.asarray(other, dtype=np.int64)
    occurs = (mine + others) > 0
    return mine[occurs], others[occurs]


def _psi(counts: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
    # the Kullback-Leibler divergence in both directions
    p, q = _smoothed(counts), _smoothed(other)
    return np.asarray((rel_entr(p, q) + rel_entr(q, p)).sum(axis=-1))


def _smoothed(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    halves = counts + 0.5
    return np.asarray(halves / halves.sum(axis=-1, keepdims=True))


def _jensen_shannon(counts: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
    # rounding can make the divergence of equal samples negative, so that its root is NaN
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nan_to_num(jensenshannon(counts, other, base=2, axis=-1)))


#: Population stability index: the sum over categories of (p - q) ln(p / q), in nats; 0 for equal shares, without an
#: upper bound. Half a count is added to each category, also in the draws of the null distribution, because the index
#: would be infinite for a category that is empty in one sample only. The half also removes the first-order bias from
#: the logarithm of a ratio of frequencies (J. B. S. Haldane, Annals of Human Genetics 20 (1956), 309-311).
psi = Distance(_psi)

#: Jensen-Shannon distance: the root of the divergence in bits; 0 for equal shares, 1 if the samples share no category.
#: Source: J. Lin, IEEE Transactions on Information Theory 37 (1991), 145-151; for the root D. M. Endres, J. E.
#: Schindelin, ibid. 49 (2003), 1858-1860.
jensen_shannon = Distance(_jensen_shannon)
