from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from batch_nlp.monitoring.statistics.multiple import holm


# statsmodels takes 50 ms an example
@settings(max_examples=20)
@given(st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.01, 0.5, 1.0])), min_size=1, max_size=40))
def test_the_correction_is_holms(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-9)


def test_no_tests_need_no_correction() -> None:
    assert holm([]) == []
