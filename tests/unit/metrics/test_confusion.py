from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from batch_nlp.metrics.confusion import METRICS, ClassCounts, confusion_matrix

PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60)
# Rows are true classes. Of 10 messages: recalls 3/4 and 4/6, precisions 3/5 and 4/5, so F1 6/9 and 8/11
TWO = [[3, 1], [2, 4]]


def test_the_confusion_matrix_has_true_classes_in_rows() -> None:
    found = confusion_matrix(np.array([0, 0, 2]), np.array([1, 0, 1]), 3)
    assert found.tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize(
    ("confusion", "macro", "weighted"),
    [
        (TWO, (6 / 9 + 8 / 11) / 2, 0.4 * 6 / 9 + 0.6 * 8 / 11),
        # a third class that neither occurs nor is predicted changes nothing
        ([[3, 1, 0], [2, 4, 0], [0, 0, 0]], (6 / 9 + 8 / 11) / 2, 0.4 * 6 / 9 + 0.6 * 8 / 11),
        # predicted once without occurring: it costs the class of the label a hit, F1 4/8 and 8/11, and is not averaged
        ([[2, 1, 1], [2, 4, 0], [0, 0, 0]], (4 / 8 + 8 / 11) / 2, 0.4 * 4 / 8 + 0.6 * 8 / 11),
        # occurs without being predicted: F1 0, averaged. 6/9, 8/12 and 0
        ([[3, 1, 0], [2, 4, 0], [0, 1, 0]], (6 / 9 + 8 / 12) / 3, (4 * 6 / 9 + 6 * 8 / 12) / 11),
        # one class alone, always right and never right
        ([[5, 0], [0, 0]], 1.0, 1.0),
        ([[0, 5], [0, 0]], 0.0, 0.0),
    ],
)
def test_mean_f1_with_absent_classes_by_hand(confusion: list[list[int]], macro: float, weighted: float) -> None:
    counts = ClassCounts.of(np.array(confusion))
    assert float(counts.mean_f1("f1_macro")) == pytest.approx(macro, abs=1e-15)
    assert float(counts.mean_f1("f1_weighted")) == pytest.approx(weighted, abs=1e-15)


def test_figures_of_absent_classes_by_hand() -> None:
    found = ClassCounts.of(np.array([[2, 1, 1, 0], [2, 4, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])).metrics()
    assert list(found) == [*METRICS, "accuracy", "precision", "recall", "f1"]
    assert found["accuracy"] == pytest.approx(0.6)
    # the third class is predicted only, the fourth neither
    np.testing.assert_allclose(found["precision"], [2 / 4, 4 / 5, 0, np.nan])
    np.testing.assert_allclose(found["recall"], [2 / 4, 4 / 6, np.nan, np.nan])
    np.testing.assert_allclose(found["f1"], [4 / 8, 8 / 11, 0, np.nan])


def test_an_expected_confusion_matrix_may_hold_fractions() -> None:
    # hits 0.2 and 0.3, labels 0.3 and 0.3, predictions 0.2 and 0.4
    counts = ClassCounts.of(np.array([[0.2, 0.1], [0.0, 0.3]]))
    np.testing.assert_allclose(counts.f1, [0.4 / 0.5, 0.6 / 0.7])
    assert float(counts.mean_f1("f1_macro")) == pytest.approx((0.8 + 0.6 / 0.7) / 2)


@settings(max_examples=30)
@given(PAIRS)
def test_metrics_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = (np.array(side) for side in zip(*pairs, strict=True))
    found = ClassCounts.of(confusion_matrix(truth, predicted, 3)).metrics()
    occur = np.unique(truth)
    for average in ("macro", "weighted"):
        expected = f1_score(truth, predicted, labels=occur, average=average, zero_division=0)
        assert float(found[f"f1_{average}"]) == pytest.approx(expected, abs=1e-12)
    assert float(found["accuracy"]) == pytest.approx(accuracy_score(truth, predicted), abs=1e-12)
    columns = precision_recall_fscore_support(truth, predicted, labels=range(3), zero_division=np.nan)
    for name, expected in zip(("precision", "recall", "f1"), columns, strict=False):
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=1e-12)


@given(st.lists(PAIRS, min_size=1, max_size=5), st.sampled_from(METRICS))
def test_many_confusion_matrices_at_once_give_what_each_gives_alone(
    batches: list[list[tuple[int, int]]], metric: str
) -> None:
    matrices = [confusion_matrix(*map(np.array, zip(*pairs, strict=True)), 3) for pairs in batches]
    together = ClassCounts.of(np.stack(matrices)).mean_f1(metric)
    np.testing.assert_array_equal(together, [ClassCounts.of(matrix).mean_f1(metric) for matrix in matrices])
