from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from batch_nlp.training.validation import Validation


def test_classes_with_an_order_have_a_kappa_and_a_mean_error() -> None:
    labels, predicted = np.array([0, 0, 1, 2, 2, 1]), np.array([0, 1, 1, 2, 0, 2])
    found = Validation.of(labels, predicted, ["high", "low", "medium"], np.array([2, 0, 1])).to_dict()
    of_ranks = [np.array([2, 0, 1])[side] for side in (labels, predicted)]
    assert found["quadratic_kappa"] == pytest.approx(cohen_kappa_score(*of_ranks, weights="quadratic"))
    assert found["mean_absolute_error"] == pytest.approx(np.abs(of_ranks[0] - of_ranks[1]).mean())
    assert "quadratic_kappa" not in Validation.of(labels, predicted, ["high", "low", "medium"]).to_dict()


def test_figures_by_class_and_of_all_messages() -> None:
    found = Validation.of(np.array([0, 0, 2]), np.array([1, 0, 1]), ["negative", "neutral", "positive"])
    values = json.loads(json.dumps(found.to_dict()))
    assert values["confusion"] == [[1, 1, 0], [0, 0, 0], [0, 1, 0]]
    assert values["accuracy"] == pytest.approx(1 / 3)
    # over the two classes that occur: 2/3 and 0
    assert values["f1_macro"] == found.metric("f1_macro") == pytest.approx(1 / 3)
    assert values["f1_weighted"] == pytest.approx(4 / 9)
    assert values["classes"]["negative"] == {
        "precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "messages": 2, "predicted": 1,
    }  # fmt: skip
    assert values["classes"]["neutral"] == {
        "precision": 0.0, "recall": 0.0, "f1": 0.0, "messages": 0, "predicted": 2,
    }  # fmt: skip
    assert found.predicted_shares.tolist() == pytest.approx([1 / 3, 2 / 3, 0])


def test_predictions_of_no_class_have_no_rank() -> None:
    labels, predicted = np.array([0, 1, 2, 2, 1, 0]), np.array([0, 1, 1, 3, 3, 3])
    ranks, answered = np.arange(3), predicted < 3
    names = ["low", "middle", "high"]
    found = Validation.of(labels, predicted, [*names, "none_of_these"], ranks)
    assert found.ordinal == Validation.of(labels[answered], predicted[answered], names, ranks).ordinal
    nothing = Validation.of(labels, np.full(6, 3), [*names, "none_of_these"], ranks)
    assert nothing.ordinal == {"quadratic_kappa": None, "mean_absolute_error": None}
