"""Intervals of shares."""

from __future__ import annotations

from math import sqrt


def wilson_interval(successes: int, n: int, confidence: float) -> tuple[float, float]:
    """Return the Wilson score interval of a share.

    Parameters
    ----------
    successes, n : int
        Messages of the class and messages in all, n > 0.
    confidence : float
        Two-sided.

    Returns
    -------
    tuple of float
        Lower and upper bound, within [0, 1]. Source: E. B. Wilson, JASA 22 (1927), 209-212.

    Examples
    --------
    >>> lower, upper = wilson_interval(10, 100, 0.95)
    >>> round(lower, 4), round(upper, 4)
    (0.0552, 0.1744)
    """
    from scipy.special import ndtri  # late: a run that judges no batch does without it

    z = -float(ndtri((1 - confidence) / 2))
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # rounding would leave a trace of the other side where every message or none is of the class
    return (0.0 if successes == 0 else centre - half), (1.0 if successes == n else centre + half)
