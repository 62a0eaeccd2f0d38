from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from batch_nlp.metrics.confusion import confusion_matrix
from batch_nlp.monitoring.findings import Performance
from batch_nlp.monitoring.statistics.performance import estimate, measure


@pytest.mark.parametrize("seed", range(20))
def test_measured_performance_is_scikit_learns(seed: int) -> None:
    random = np.random.default_rng(seed)
    k = int(random.integers(2, 6))
    # of the first classes only, at times: some neither occur nor are predicted
    labels = random.integers(0, random.integers(1, k + 1), 200)
    predicted = np.where(random.random(200) < 0.6, labels, random.integers(0, random.integers(1, k + 1), 200))
    found = measure(confusion_matrix(labels, predicted, k))
    f1 = [
        f1_score(labels, predicted, labels=np.unique(labels), average=average, zero_division=0)
        for average in ("macro", "weighted")
    ]
    assert found.messages == 200
    assert (found.accuracy, found.f1_macro, found.f1_weighted) == pytest.approx(
        (accuracy_score(labels, predicted), *f1), abs=1e-12
    )


def test_certain_probabilities_are_labels() -> None:
    random = np.random.default_rng(0)
    labels, predicted = random.integers(0, 3, 500), random.integers(0, 3, 500)
    assert estimate(np.eye(4)[labels], predicted) == measure(confusion_matrix(labels, predicted, 4))


def test_the_expected_confusion_by_hand() -> None:
    probabilities = np.array([[0.8, 0.2, 0.0], [0.6, 0.4, 0.0], [0.1, 0.9, 0.0]])
    found = estimate(probabilities, np.array([0, 0, 1]))
    # hits 1.4 and 0.9; expected to be of the classes 1.5 and 1.5; predicted 2 and 1; the third class has no probability
    first, second = 2 * 1.4 / 3.5, 2 * 0.9 / 2.5
    assert found == Performance(
        3, pytest.approx(2.3 / 3), pytest.approx((first + second) / 2), pytest.approx((first + second) / 2)
    )


def test_calibrated_probabilities_foretell_the_performance() -> None:
    random = np.random.default_rng(3)
    probabilities = random.dirichlet([0.3, 0.4, 1.2], 20_000)
    labels = (random.random((20_000, 1)) > probabilities.cumsum(axis=1)[:, :2]).sum(axis=1)
    # not always the most probable class
    predicted = (probabilities * [1.5, 1.5, 1.0]).argmax(axis=1)
    promised, real = estimate(probabilities, predicted), measure(confusion_matrix(labels, predicted, 3))
    assert promised.accuracy == pytest.approx(real.accuracy, abs=0.01)
    assert promised.f1_macro == pytest.approx(real.f1_macro, abs=0.01)
    assert promised.f1_weighted == pytest.approx(real.f1_weighted, abs=0.01)


def test_no_messages_have_no_performance() -> None:
    with pytest.raises(ValueError, match="no messages"):
        estimate(np.empty((0, 3)), np.array([], dtype=np.int64))
    with pytest.raises(ValueError, match="no messages"):
        measure(np.zeros((3, 3), np.int64))


def test_a_message_without_a_class_counts_as_a_mistake() -> None:
    labels, predicted = np.array([0, 0, 1, 1]), np.array([0, 2, 1, 2])
    found = estimate(np.eye(2)[labels], predicted)
    assert (found.accuracy, found.f1_macro) == pytest.approx((0.5, 2 / 3))
