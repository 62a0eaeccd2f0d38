"""Correction of p-values for the number of tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


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
