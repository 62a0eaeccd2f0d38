from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, ks_2samp
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest

from batch_nlp.monitoring.statistics.homogeneity import chi_square, holm, ks, share_difference

COUNTS = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), min_size=2, max_size=6)


@given(COUNTS)
def test_chi_square_is_scipys_on_the_categories_that_occur(pairs: list[tuple[int, int]]) -> None:
    counts, other = np.array(pairs).T
    occurring = np.array([pair for pair in pairs if any(pair)]).T
    if len(occurring) == 0 or occurring.shape[1] < 2 or not occurring.sum(axis=1).all():
        assert chi_square(counts, other) == (0.0, 1.0)
        return
    expected = chi2_contingency(occurring, correction=False)
    assert chi_square(counts, other) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-12, abs=1e-9)


@pytest.mark.parametrize(
    ("counts", "other"), [([5, 0], [9, 0]), ([0, 0], [0, 0]), ([0, 0], [3, 4]), ([3, 4], [0, 0]), ([3], [4])]
)
def test_where_nothing_can_be_compared_nothing_differs(counts: list[int], other: list[int]) -> None:
    assert chi_square(counts, other) == (0.0, 1.0)


@given(st.integers(1, 100_000), st.integers(1, 100_000), st.data())
def test_the_difference_of_two_shares_is_the_pooled_z_test(n1: int, n2: int, data: st.DataObject) -> None:
    k1, k2 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n2))
    p_value = share_difference(k1, n1, k2, n2)
    if k1 + k2 in {0, n1 + n2}:
        assert p_value == 1.0
        return
    assert p_value == pytest.approx(proportions_ztest([k1, k2], [n1, n2])[1], abs=1e-9)
    assert p_value == pytest.approx(chi_square([k1, n1 - k1], [k2, n2 - k2])[1], abs=1e-9)


def test_a_share_of_nothing_differs_from_none() -> None:
    assert share_difference(0, 0, 5, 10) == share_difference(5, 10, 0, 0) == 1.0


@pytest.mark.parametrize(("n", "m"), [(1, 1), (30, 2000), (600, 2000), (12_000, 2000)])
def test_kolmogorov_smirnov_is_scipys(n: int, m: int) -> None:
    random = np.random.default_rng(n)
    sample, other = random.normal(0.1, 1, n), random.normal(0, 1, m)
    expected = ks_2samp(sample, other)
    assert ks(sample, other) == pytest.approx((expected.statistic, expected.pvalue), abs=1e-9)


def test_an_empty_sample_is_no_difference() -> None:
    assert ks(np.array([]), np.array([1.0])) == ks(np.array([1.0]), np.array([])) == (0.0, 1.0)


# statsmodels takes 50 ms an example and more
@settings(max_examples=10)
@given(st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.01, 0.5, 1.0])), min_size=1, max_size=40))
def test_the_correction_is_holms(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-9)


def test_no_tests_need_no_correction() -> None:
    assert holm([]) == []
