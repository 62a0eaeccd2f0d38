from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
    recall_score,
)

from batch_nlp.training.validation import Validation, f1_of_counts

CLASSES = ["negative", "neutral", "positive"]
PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60)


@settings(max_examples=50)
@given(PAIRS)
def test_metrics_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = (np.array(side) for side in zip(*pairs, strict=True))
    found = Validation.of(truth, predicted, CLASSES)
    for average in ("macro", "weighted"):
        # what nothing is of cannot be measured
        expected = f1_score(truth, predicted, labels=np.unique(truth), average=average, zero_division=0)
        assert found.metric(f"f1_{average}") == pytest.approx(expected, abs=1e-12)
    assert found.metric("accuracy") == pytest.approx(accuracy_score(truth, predicted), abs=1e-12)
    recalls = recall_score(truth, predicted, labels=range(3), average=None, zero_division=0)
    np.testing.assert_allclose(found.recalls, recalls, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.predicted_shares, np.bincount(predicted, minlength=3) / len(pairs), atol=1e-12)
    table = found.to_dict()["classes"]
    columns = precision_recall_fscore_support(truth, predicted, labels=range(3), zero_division=0)
    for row, expected_values in zip(table.values(), zip(*columns, strict=True), strict=True):
        got = (row["precision"], row["recall"], row["f1"], row["messages"])
        np.testing.assert_allclose(got, expected_values, rtol=0, atol=1e-12)


@given(st.lists(PAIRS, min_size=1, max_size=5), st.sampled_from(["f1_macro", "f1_weighted"]))
def test_many_confusion_matrices_at_once_give_what_each_gives_alone(
    batches: list[list[tuple[int, int]]], metric: str
) -> None:
    matrices = [confusion_matrix(*zip(*pairs, strict=True), labels=range(3)) for pairs in batches]
    together = f1_of_counts(np.stack(matrices), metric)
    np.testing.assert_array_equal(together, [f1_of_counts(matrix, metric) for matrix in matrices])


def test_the_confusion_matrix_has_true_classes_in_rows() -> None:
    found = Validation.of(np.array([0, 0, 2]), np.array([1, 0, 1]), CLASSES)
    assert found.confusion.tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 0]]
    assert json.loads(json.dumps(found.to_dict()))["classes"]["neutral"] == {
        "precision": 0.0, "recall": 0.0, "f1": 0.0, "messages": 0, "predicted": 2,
    }  # fmt: skip
