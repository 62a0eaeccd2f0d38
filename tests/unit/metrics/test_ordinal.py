from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import cohen_kappa_score

from batch_nlp.metrics.confusion import confusion_matrix
from batch_nlp.metrics.ordinal import mean_absolute_error, quadratic_kappa


@given(
    arrays(np.int64, 30, elements=st.integers(0, 3)),
    arrays(np.int64, 30, elements=st.integers(0, 3)),
    st.permutations(range(4)),
)
def test_kappa_and_error_are_those_of_the_ranks(labels: np.ndarray, predicted: np.ndarray, order: list[int]) -> None:
    ranks = np.array(order)
    confusion = confusion_matrix(labels, predicted, 4)
    one, other = ranks[labels], ranks[predicted]
    assert mean_absolute_error(confusion, ranks) == pytest.approx(np.abs(one - other).mean())
    found = quadratic_kappa(confusion, ranks)
    if len({*one, *other}) == 1:
        assert found is None
    else:
        expected = cohen_kappa_score(one, other, labels=range(4), weights="quadratic")
        assert found == pytest.approx(expected, abs=1e-12)
