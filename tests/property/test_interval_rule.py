"""Guarantee 9: the `interval` rule triggers when a class's Wilson interval lies wholly outside the band."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
import pytest
from scipy.stats import binom
from tests.settings import default

from batch_nlp.config import DriftConfig, DriftRule
from batch_nlp.monitoring.rules import judge

CLASSES = ["negative", "neutral", "positive"]
INTERVAL = default(DriftConfig, rules=[DriftRule.interval])
FALSE_ALARMS, POWER = 0.025, 0.98


def first_is_out(counts: list[int]) -> bool:
    """Return whether the rule reports the first class."""
    return judge(counts, CLASSES, INTERVAL).shares[0].out


def triggering(n: int) -> int:
    """Return the number of class counts, from 0 upwards, that the rule calls too few of n messages."""
    return bisect_left(range(n // 10 + 1), True, key=lambda k: not first_is_out([k, (n - k) // 2, (n - k + 1) // 2]))


def simulated(n: int, shares: list[float], batches: int) -> float:
    """Return the share of batches in which the rule reports the first class."""
    drawn = np.random.default_rng(n).multinomial(n, shares, batches)[:, 0]
    counts, times = np.unique(drawn, return_counts=True)
    return float(times[[first_is_out([int(k), n - int(k), 0]) for k in counts]].sum() / batches)


@pytest.mark.parametrize("n", [30, 100, 500, 2000])
def test_a_class_at_the_edge_of_the_band_is_rarely_reported(n: int) -> None:
    """Guarantee 9: of simulated batches."""
    assert simulated(n, [0.10, 0.30, 0.60], 8000) <= FALSE_ALARMS


@pytest.mark.parametrize("n", [30, 100, 500, 1000, 2000, 10_000])
def test_false_alarms_by_exact_sums(n: int) -> None:
    """Guarantee 9: without any luck of the draw."""
    assert binom.cdf(triggering(n) - 1, n, 0.10) <= FALSE_ALARMS


def test_false_alarms_at_every_size_of_a_batch() -> None:
    """Guarantee 9: counts are whole numbers, so single sizes lie a trace above the level; the worst is n = 84."""
    rates = np.array([binom.cdf(triggering(n) - 1, n, 0.10) for n in range(30, 201)])
    assert rates.mean() <= FALSE_ALARMS
    assert rates.max() <= FALSE_ALARMS + 0.0014
    assert 30 + rates.argmax() == 84


def test_a_class_of_half_the_least_share_is_noticed() -> None:
    """Guarantee 9: power at a share of 5 % and 500 messages, by exact sums and of simulated batches."""
    assert binom.cdf(triggering(500) - 1, 500, 0.05) >= POWER
    assert simulated(500, [0.05, 0.35, 0.60], 8000) >= POWER


def test_the_upper_bound_is_as_strict_as_the_lower() -> None:
    """Guarantee 9."""
    for n in (100, 500):
        fewest = n - triggering(n) + 1
        assert first_is_out([fewest, n - fewest, 0])
        assert not first_is_out([fewest - 1, n - fewest + 1, 0])
