"""Tests of whether two samples come from the same distribution, and the correction for their number."""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

# scipy.stats is imported where it is used: it takes most of a second, and most runs have no batch to judge


def chi_square(counts: ArrayLike, other: ArrayLike) -> tuple[float, float]:
    """Compare the shares of categories in two samples by Pearson's chi-square test, without continuity correction.

    Parameters
    ----------
    counts, other : array_like of int, shape (k,)
        How often each category occurs in each sample. A category that occurs in neither is left out.

    Returns
    -------
    statistic, p_value : float
        0 and 1 where fewer than two categories are left or a sample is empty: there is nothing to compare. The p-value
        is that of the limiting distribution, which is rough where a category is expected fewer than five times.

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

    Parameters
    ----------
    k1, n1 : int
        Successes and size of one sample.
    k2, n2 : int
        Successes and size of the other.

    Returns
    -------
    float
        1 where a sample is empty, and where all are successes or none is. Otherwise the same as :func:`chi_square` on
        successes and failures; this one takes a microsecond, so that it can be asked of each of thousands of words.

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
    """Compare two samples of a number by the two-sided Kolmogorov-Smirnov test.

    Parameters
    ----------
    sample, other : ndarray of float, shapes (n,) and (m,)
        Without missing values.

    Returns
    -------
    statistic, p_value : float
        The greatest distance of the two distribution functions, and its p-value: exact up to 10,000 values a sample,
        then from the limiting distribution; too large rather than too small where values are tied. 0 and 1 where a
        sample is empty.
    """
    if len(sample) == 0 or len(other) == 0:
        return 0.0, 1.0
    from scipy.stats import ks_2samp

    result = ks_2samp(sample, other)
    return float(result.statistic), float(result.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for the number of tests.

    Parameters
    ----------
    p_values : sequence of float
        Of the tests, in any order; none is missing.

    Returns
    -------
    list of float
        Adjusted p-values in the same order. To call significant what is under a level keeps the probability of one or
        more false alarms under that level, however the tests depend on each other. Source: S. Holm, Scandinavian
        Journal of Statistics 6 (1979), 65-70.

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
    return [float(value) for value in adjusted]
