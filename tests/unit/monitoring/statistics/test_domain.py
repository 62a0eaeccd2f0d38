from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from batch_nlp.monitoring.statistics.domain import domain_auc


@pytest.mark.long
def test_samples_of_one_population_are_not_told_apart_more_often_than_the_level_says() -> None:
    random = np.random.default_rng(0)
    found = np.array(
        [domain_auc(random.normal(size=(60, 12)), random.normal(size=(150, 12)), run) for run in range(100)]
    )
    assert found[:, 0].mean() == pytest.approx(0.5, abs=0.02)
    for level in (0.01, 0.05, 0.2):
        assert (found[:, 1] <= level).sum() <= binom.ppf(0.999, 100, level)
    # and the p-values are not simply large
    assert (found[:, 1] <= 0.5).sum() >= 25


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_samples_that_differ_are_told_apart(dtype: type[np.floating]) -> None:
    random = np.random.default_rng(1)
    sample = (random.normal(size=(400, 64)) + 0.15).astype(dtype)
    auc, p_value = domain_auc(sample, random.normal(size=(900, 64)).astype(dtype), 0)
    assert 0.7 < auc < 0.9
    # small, and not rounded away
    assert 0 < p_value < 1e-6
    assert domain_auc(sample, -sample, 0) == domain_auc(sample, -sample, 0)


def test_a_difference_that_is_everywhere_is_an_area_of_one() -> None:
    random = np.random.default_rng(2)
    auc, p_value = domain_auc(random.normal(size=(50, 4)) + 9, random.normal(size=(50, 4)), 0)
    assert auc == 1.0
    assert p_value < 1e-6


def test_columns_that_never_change_are_no_difference() -> None:
    auc, p_value = domain_auc(np.ones((50, 3)), np.ones((80, 3)), 0)
    assert auc == 0.5
    assert p_value > 0.5


@pytest.mark.parametrize(("n", "m"), [(0, 500), (19, 500), (500, 19), (0, 0)])
def test_too_few_messages_tell_nothing(n: int, m: int) -> None:
    assert domain_auc(np.zeros((n, 2)), np.ones((m, 2)), 0) == (0.5, 1.0)
