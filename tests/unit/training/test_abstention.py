from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from tests.unit.training.test_tuned_classifier import three_clouds

from batch_nlp.storage.model_file import dump_model, load_model
from batch_nlp.training.abstention import (
    AbstainingClassifier,
    abstention_facts,
    best_threshold,
    threshold_for_coverage,
)
from batch_nlp.training.tuned_classifier import TunedClassifier

FAR = pd.DataFrame(np.tile([1.0, 2.0, 0.0, 0.0], (40, 1)), columns=list("abcd"))


@pytest.mark.parametrize(("coverage", "threshold"), [(0.99, 0.1), (0.9, 0.2), (0.8, 0.3), (0.75, 0.3), (0.11, 0.9)])
def test_a_threshold_answers_at_least_the_share_that_was_asked_for(coverage: float, threshold: float) -> None:
    confidence = np.array([0.3, 0.1, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    found = threshold_for_coverage(confidence, coverage)
    assert found == threshold
    assert (confidence >= found).mean() >= coverage


def test_the_best_threshold_loses_an_answer_only_for_enough_out_of_scope_messages() -> None:
    confidence, right = np.array([0.2, 0.4, 0.6, 0.8, 1.0]), np.array([False, True, True, True, True])
    # above 0.3, nothing right is lost; above 0.5, one right answer of five is, for the other half of the messages
    outside = np.array([0.3, 0.5])
    assert best_threshold(confidence, right, outside, 0.1) == np.nextafter(0.3, 1)
    assert best_threshold(confidence, right, outside, 0.5) == np.nextafter(0.5, 1)
    assert best_threshold(confidence, ~right, np.array([0.1]), 0.1) == np.nextafter(0.1, 1)


def test_abstention_changes_nothing_but_the_unsure_predictions() -> None:
    (X, y), (X_new, _) = three_clouds(300, 0), three_clouds(500, 1)
    plain, model = TunedClassifier(LogisticRegression()).fit(X, y), AbstainingClassifier(LogisticRegression()).fit(X, y)
    probabilities = model.predict_proba(X_new)
    np.testing.assert_array_equal(probabilities, plain.predict_proba(X_new))
    unsure = probabilities.max(axis=1) < model.threshold_
    assert 0 < unsure.mean() < 0.1
    np.testing.assert_array_equal(model.predict(X_new), np.where(unsure, 3, plain.predict(X_new)))
    # a decision does not depend on the batch
    alone = [int(model.decide(probabilities[[row]])[0]) for row in range(50)]
    assert alone == model.decide(probabilities[:50]).tolist()
    assert model.decide(probabilities[:0]).shape == (0,)


def test_out_of_scope_messages_choose_the_threshold_and_nothing_else() -> None:
    X, y = three_clouds(300, 0)
    without = AbstainingClassifier(LogisticRegression()).fit(X, y)
    model = AbstainingClassifier(LogisticRegression(), coverage=None).fit(X, y, outside=FAR)
    assert model.threshold_ != without.threshold_
    np.testing.assert_array_equal(model.predict_proba(X), without.predict_proba(X))
    np.testing.assert_array_equal(model.decision_weights_, without.decision_weights_)


@pytest.mark.parametrize("calibration", ["none", "logistic"])
def test_a_refit_and_a_file_keep_the_threshold(tmp_path: Path, calibration: str) -> None:
    X, y = three_clouds(300, 0)
    model = AbstainingClassifier(LogisticRegression(), calibration=calibration, metric=None).fit(X, y)
    again = AbstainingClassifier(LogisticRegression(), calibration=calibration, metric=None).fit(
        X[:200], y[:200], model
    )
    assert again.threshold_ == model.threshold_
    dump_model(tmp_path / "one.skops", Pipeline([("training", model)]))
    dump_model(tmp_path / "two.skops", load_model(tmp_path / "one.skops"))
    assert (tmp_path / "one.skops").read_bytes() == (tmp_path / "two.skops").read_bytes()
    np.testing.assert_array_equal(load_model(tmp_path / "one.skops").predict(X), model.predict(X))


def test_the_facts_are_those_of_the_predictions() -> None:
    X, y = three_clouds(300, 0)
    model = AbstainingClassifier(LogisticRegression(), metric=None).fit(X, y)
    model.threshold_ = 0.6
    probabilities = np.array([[0.9, 0.05, 0.05], [0.1, 0.2, 0.7], [0.5, 0.4, 0.1], [0.2, 0.65, 0.15]])
    outside = np.array([[0.4, 0.3, 0.3], [0.8, 0.1, 0.1]])
    found = abstention_facts(model, probabilities, np.array([0, 2, 0, 0]), outside)
    assert found is not None
    assert (found["coverage"], found["accuracy"], found["accuracy_of_answered"]) == (0.75, 0.5, 2 / 3)
    assert (found["out_of_scope"], found["out_of_scope_recall"], found["auc"]) == (2, 0.5, 5 / 8)
    assert {one["coverage"]: one["risk"] for one in found["risk_at_coverage"]} == {
        1.0: 0.25, 0.95: 0.25, 0.9: 0.25, 0.8: 1 / 3, 0.5: 0.0,
    }  # fmt: skip
    alone = abstention_facts(model, probabilities, np.array([0, 2, 0, 0]), outside[:0])
    assert alone is not None
    assert (alone["out_of_scope_recall"], alone["auc"]) == (None, None)
