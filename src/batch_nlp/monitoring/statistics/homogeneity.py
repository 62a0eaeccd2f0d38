"""Tests of whether two samples come from one distribution, and the correction for the number of tests."""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

# scipy.stats is imported where it is used: it takes half a second, and most runs judge no batch

# Above this p-value a difference is nothing but chance, and the asymptotic p-value is as good as the exact one
_ALIKE = 0.99


def chi_square(counts: ArrayLike, other: ArrayLike) -> tuple[float, float]:
    """Return Pearson's chi-square and its p-value, without continuity correction, of two samples of counts, shape (k,).

    Categories that occur in neither sample are left out. Where there is nothing to compare, since fewer than two
    categories are left or a sample is empty, the result is 0 and 1. The p-value is that of the limiting distribution,
    which is rough for categories that are expected fewer than five times.

    Examples
    --------
    >>> statistic, p_value = chi_square([30, 70, 0], [60, 40, 0])
    >>> round(statistic, 3), round(p_value, 6)
    (18.182, 2e-05)
    """
    table = np.stack([np.asarray(counts), np.asarray(other)])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or not table.sum(axis=1).all():
        return 0.0, 1.0
    from scipy.stats import chi2_contingency

    result = chi2_contingency(table, correction=False)
    return float(result.statistic), float(result.pvalue)


def share_difference(k1: int, n1: int, k2: int, n2: int) -> float:
    """Return the p-value of the difference of two shares: two-sided z-test with pooled variance.

    `k1` of `n1` and `k2` of `n2` are successes. The p-value is 1 where a sample is empty, or where all are successes or
    all are failures. It equals that of :func:`chi_square`, but takes less than a microsecond instead of a millisecond,
    so that thousands of words can be tested.

    Examples
    --------
    >>> round(share_difference(30, 100, 60, 100), 6)
    2e-05
    """
    successes, n = k1 + k2, n1 + n2
    if n1 == 0 or n2 == 0 or successes in {0, n}:
        return 1.0
    pooled = successes / n
    z = (k1 / n1 - k2 / n2) / sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    return erfc(abs(z) / sqrt(2))


def ks(sample: NDArray[np.floating], other: NDArray[np.floating]) -> tuple[float, float]:
    """Compare two samples of a number, without missing values, by the two-sided Kolmogorov-Smirnov test.

    Returns
    -------
    statistic, p_value : float
        The greatest distance between the two distribution functions, and its p-value: exact up to 10,000 values per
        sample, asymptotic beyond; too large rather than too small where values are tied. 0 and 1 where a sample is
        empty.
    """
    if len(sample) == 0 or len(other) == 0:
        return 0.0, 1.0
    from scipy.stats import ks_2samp

    # with equal sizes, the exact p-value of samples that hardly differ rounds to more than 1, and SciPy warns of it
    alike = len(sample) == len(other) > 1 and ks_2samp(sample, other, method="asymp").pvalue > _ALIKE
    result = ks_2samp(sample, other, method="asymp" if alike else "auto")
    return float(result.statistic), float(result.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for the number of tests, and return them in the same order.

    Calling significant what is below a level keeps the probability of any false alarm below that level, however the
    tests depend on each other. SciPy corrects for the false discovery rate only (`false_discovery_control`). Source: S.
    Holm, Scandinavian Journal of Statistics 6 (1979), 65-70.

    Examples
    --------
    >>> holm([0.01, 0.5, 0.02])
    [0.03, 0.5, 0.04]
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values)
    steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(steps, 1.0)
    return list(map(float, adjusted))
