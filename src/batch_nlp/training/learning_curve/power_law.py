"""The curve that is laid through the scores: a power law with an offset."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import curve_fit

# Sizes from which on a curve of three parameters is more than drawn through its points
LEAST_SIZES = 4
# a is a score; b is what the largest size leaves to be gained; c is steeper than 0.05, where the curve would be a
# straight line on the logarithm of the size and never end, and 2 is as good as a step
_BOUNDS = ([0.0, 0.0, 0.05], [1.0, 1.0, 2.0])


@dataclass(frozen=True)
class PowerLaw:
    """The score ``a - b * n ** -c`` of n training messages (Hestness et al., Deep learning scaling is predictable,
    2017; Viering and Loog, The shape of learning curves, 2022).

    Parameters
    ----------
    a : float
        The score that no number of messages exceeds.
    b, c : float
        How far one message falls short of it, and how fast that shrinks.
    """  # noqa: D205 one sentence with its sources

    a: float
    b: float
    c: float

    def __call__(self, n: ArrayLike) -> NDArray[np.float64]:
        """Return the scores of numbers of messages, shape (n,)."""
        return np.asarray(self.a - self.b * np.asarray(n, dtype=np.float64) ** -self.c)


def fit_power_law(sizes: ArrayLike, scores: ArrayLike) -> PowerLaw | None:
    """Return the power law through measured scores, by bounded least squares.

    Parameters
    ----------
    sizes : array-like of int, shape (n,)
        Training messages.
    scores : array-like of float, shape (n,)
        From 0 to 1.

    Returns
    -------
    PowerLaw or None
        None for fewer than `LEAST_SIZES` sizes, or where the search does not end.
    """
    n, y = np.asarray(sizes, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if len(np.unique(n)) < LEAST_SIZES:
        return None
    most = float(n.max())

    def of_share(share: NDArray[np.float64], a: float, b: float, c: float) -> NDArray[np.float64]:
        return np.asarray(a - b * share**-c)

    start = (min(float(y.max()) + 0.01, 1.0), 0.02, 0.5)
    try:
        (a, b, c), _ = curve_fit(of_share, n / most, y, start, bounds=_BOUNDS, max_nfev=5000)
    except RuntimeError:  # the search did not end
        return None
    return PowerLaw(float(a), float(b * most**c), float(c))
