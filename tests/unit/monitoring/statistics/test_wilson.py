from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from batch_nlp.monitoring.statistics.wilson import wilson_interval


@given(st.integers(1, 1_000_000), st.data(), st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.999]))
def test_the_interval_is_wilsons(n: int, data: st.DataObject, confidence: float) -> None:
    successes = data.draw(st.integers(0, n))
    found = wilson_interval(successes, n, confidence)
    assert found == pytest.approx(proportion_confint(successes, n, 1 - confidence, method="wilson"), abs=1e-9)
    expected = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.integers(1, 1_000_000))
def test_none_and_all_are_bounds_without_a_trace_of_rounding(n: int) -> None:
    assert wilson_interval(0, n, 0.95)[0] == 0
    assert wilson_interval(n, n, 0.95)[1] == 1
