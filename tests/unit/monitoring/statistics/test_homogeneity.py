from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.stats import ks_2samp
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest

from batch_nlp.monitoring.statistics.homogeneity import chi_square, holm, ks, share_difference


def test_chi_square_leaves_out_what_occurs_nowhere() -> None:
    # expected 45 and 55 in each sample: 4 * 15**2 / 45 / 2 + 4 * 15**2 / 55 / 2
    assert chi_square([30, 70, 0], [60, 40, 0]) == pytest.approx((18.1818, 2.0e-5), abs=1e-4)


@pytest.mark.parametrize(
    ("counts", "other"), [([5, 0], [9, 0]), ([0, 0], [0, 0]), ([0, 0], [3, 4]), ([3, 4], [0, 0]), ([3], [4])]
)
def test_where_nothing_can_be_compared_nothing_differs(counts: list[int], other: list[int]) -> None:
    assert chi_square(counts, other) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("k1", "n1", "k2", "n2"), [(30, 100, 60, 100), (0, 7, 5, 90_000), (1, 1, 0, 1), (500, 1000, 501, 1000)]
)
def test_the_difference_of_two_shares_is_the_pooled_z_test(k1: int, n1: int, k2: int, n2: int) -> None:
    p_value = share_difference(k1, n1, k2, n2)
    assert p_value == pytest.approx(proportions_ztest([k1, k2], [n1, n2])[1], rel=1e-9)
    assert p_value == pytest.approx(chi_square([k1, n1 - k1], [k2, n2 - k2])[1], rel=1e-9)


def test_a_share_of_nothing_differs_from_none() -> None:
    assert share_difference(0, 0, 5, 10) == share_difference(5, 10, 0, 0) == 1.0
    assert share_difference(0, 3, 0, 10) == share_difference(3, 3, 10, 10) == 1.0


@pytest.mark.parametrize(("n", "m"), [(1, 1), (30, 2000), (12_000, 2000)])
def test_kolmogorov_smirnov_is_scipys(n: int, m: int) -> None:
    random = np.random.default_rng(n)
    sample, other = random.normal(0.1, 1, n), random.normal(0, 1, m)
    expected = ks_2samp(sample, other)
    assert ks(sample, other) == pytest.approx((expected.statistic, expected.pvalue), abs=1e-9)


@pytest.mark.parametrize("n", [407, 788, 1463, 2999])
def test_samples_that_are_nearly_equal_do_not_warn(n: int) -> None:
    """SciPy's exact p-value of these rounds to more than 1."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for differing in (1, 5):
            sample = np.r_[np.zeros(n - differing), np.ones(differing)]
            assert ks(sample, np.zeros(n)) == pytest.approx((differing / n, 1.0), abs=1e-9)


def test_an_empty_sample_is_no_difference() -> None:
    assert ks(np.array([]), np.array([1.0])) == ks(np.array([1.0]), np.array([])) == (0.0, 1.0)


@pytest.mark.parametrize(
    "p_values", [[0.01, 0.5, 0.02], [0.2], [0.0, 0.0, 1.0], [0.03, 0.01, 0.02, 0.005], [0.6, 0.6, 0.01, 0.4]]
)
def test_the_correction_is_holms(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


def test_no_tests_need_no_correction() -> None:
    assert holm([]) == []
