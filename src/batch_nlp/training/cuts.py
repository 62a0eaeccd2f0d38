"""Cuts of an order: where labels are divided into lower and higher ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Most cuts, and fewest labels on each side of one
_MOST, _LEAST = 10, 20


def find_cuts(places: NDArray[np.float64]) -> tuple[float, ...]:
    """Return the cuts between places, each named by the highest place below it.

    Of many places, those cuts are taken that divide the labels into about equal parts.

    Parameters
    ----------
    places : ndarray of float64, shape (n,)
        Place of each label in the order; NaN for none.
    """
    placed = ~np.isnan(places)
    different, counts = np.unique(places[placed], return_counts=True)
    below = np.cumsum(counts)[:-1]
    possible = np.flatnonzero((below >= _LEAST) & (placed.sum() - below >= _LEAST))
    if len(possible) > _MOST:
        wanted = placed.sum() * np.arange(1, _MOST + 1) / (_MOST + 1)
        nearest = np.abs(below[possible] - wanted[:, np.newaxis]).argmin(axis=1)
        possible = possible[np.unique(nearest)]
    return tuple(different[possible].tolist())


def sides_of(places: NDArray[np.float64], cut: float) -> NDArray[np.float64]:
    """Return 1 for places above a cut, -1 for the others, and 0 for NaN, shape (n,)."""
    return np.where(np.isnan(places), 0.0, np.where(places > cut, 1.0, -1.0))
