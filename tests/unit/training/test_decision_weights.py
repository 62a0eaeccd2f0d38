from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.metrics import f1_score

from batch_nlp.metrics.confusion import ClassCounts, confusion_matrix
from batch_nlp.training.decision_weights import _GRID, _best_offsets, decide, tune_weights

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]


def calibrated(n: int, seed: int, shares: tuple[float, ...] = (0.25, 0.07, 0.68)) -> tuple[Matrix, Labels]:
    """Return true probabilities of messages, and classes drawn with them; one class is rare."""
    random = np.random.default_rng(seed)
    probabilities = softmax(random.normal(0, 1.3, (n, len(shares))) + np.log(shares), axis=1)
    return probabilities, (probabilities.cumsum(axis=1) < random.random((n, 1))).sum(axis=1)


def test_the_weighted_probability_decides() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6], [0.4, 0.35, 0.25]])
    assert decide(probabilities, np.ones(3)).tolist() == [0, 2, 0]
    assert decide(probabilities, np.array([1, 1.9, 1])).tolist() == [1, 2, 1]
    assert decide(probabilities[:0], np.ones(3)).tolist() == []


def test_weights_of_one_take_the_most_probable_class() -> None:
    probabilities, _ = calibrated(500, 0)
    assert decide(probabilities, np.ones(3)).tolist() == probabilities.argmax(axis=1).tolist()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_weights_tuned_for_macro_f1_beat_the_most_probable_class_on_new_messages(seed: int) -> None:
    """The probabilities are the true ones, so that nothing but the decision can make the difference."""
    weights = tune_weights(*calibrated(1500, seed), "f1_macro", 0)
    probabilities, labels = calibrated(40000, seed + 100)
    before = f1_score(labels, probabilities.argmax(axis=1), average="macro")
    assert f1_score(labels, decide(probabilities, weights), average="macro") > before + 0.004
    assert weights[2] == 1
    assert weights[1] > 1


def test_weights_tuned_for_weighted_f1_stay_near_the_most_probable_class() -> None:
    """There is next to nothing to gain: what the tuning must not do is lose."""
    weights = tune_weights(*calibrated(1500, 1), "f1_weighted", 0)
    probabilities, labels = calibrated(40000, 101)
    before = f1_score(labels, probabilities.argmax(axis=1), average="weighted")
    assert f1_score(labels, decide(probabilities, weights), average="weighted") > before - 0.01


def test_the_weight_of_two_classes_is_near_the_best_threshold() -> None:
    probabilities, labels = calibrated(1500, 4, (0.9, 0.1))
    found = f1_score(labels, decide(probabilities, tune_weights(probabilities, labels, "f1_macro", 0)), average="macro")
    best = max(f1_score(labels, probabilities[:, 1] > cut, average="macro") for cut in np.linspace(0.01, 0.99, 99))
    assert found > best - 0.01


def test_the_weights_follow_the_seed_alone() -> None:
    data = calibrated(300, 5)
    weights = tune_weights(*data, "f1_macro", 1)
    np.testing.assert_array_equal(tune_weights(*data, "f1_macro", 1), weights)
    assert tune_weights(*data, "f1_macro", 2).tolist() != weights.tolist()


@pytest.mark.parametrize("shares", [(0.25, 0.07, 0.68), (0.5, 0.5), (0.001, 0.009, 0.09, 0.9), (1 / 40,) * 40])
def test_weights_for_shares_predict_each_class_as_often_as_it_occurs(shares: tuple[float, ...]) -> None:
    # probabilities that are wrong about the shares, as those of a classifier without calibration
    probabilities, labels = calibrated(6000, 3, shares)
    skewed = probabilities * np.linspace(0.3, 3, len(shares))
    skewed /= skewed.sum(axis=1, keepdims=True)
    wanted = np.bincount(labels, minlength=len(shares))
    weights = tune_weights(skewed, labels, "shares", 0)
    found = np.bincount(decide(skewed, weights), minlength=len(shares))
    assert np.abs(found - wanted).sum() <= 6
    assert np.abs(np.bincount(decide(skewed, np.ones(len(shares))), minlength=len(shares)) - wanted).sum() > 100
    assert weights[wanted.argmax()] == 1


def test_weights_for_shares_hold_on_new_messages() -> None:
    weights = tune_weights(*calibrated(6000, 3), "shares", 0)
    probabilities, labels = calibrated(6000, 4)
    found, wanted = (np.bincount(each, minlength=3) / 6000 for each in (decide(probabilities, weights), labels))
    assert np.abs(found - wanted).max() < 0.015


def test_weights_for_shares_are_finite_where_no_weights_give_the_shares() -> None:
    # every message looks alike, and a class that does not occur
    labels = np.arange(90) % 2
    weights = tune_weights(np.tile([0.3, 0.3, 0.4], (90, 1)), labels, "shares", 0)
    assert np.isfinite(weights).all()
    assert (weights > 0).all()


def test_certain_probabilities_need_no_weights() -> None:
    labels = np.arange(90) % 3
    assert tune_weights(np.eye(3)[labels], labels, "f1_macro", 0).tolist() == [1, 1, 1]
    assert tune_weights(np.eye(3)[labels], labels, "shares", 0).tolist() == [1, 1, 1]


@pytest.mark.parametrize("metric", ["f1_macro", "f1_weighted"])
@pytest.mark.parametrize("classes", [2, 3, 6])
def test_the_search_finds_what_trying_each_step_finds(metric: str, classes: int) -> None:
    """Probabilities are rounded, so that many scores tie, and the first class must win then."""
    probabilities, labels = calibrated(120, classes, tuple(np.full(classes, 1 / classes)))
    logs = np.log(np.maximum(probabilities.round(1), 1e-12))
    expected, best, before = np.zeros(classes), -1.0, -2.0
    while best > before:
        before = best
        for index in range(1, classes):
            for step in sorted(_GRID, key=abs):
                tried = expected.copy()
                tried[index] = step
                predicted = (logs + tried).argmax(axis=1)
                counts = ClassCounts.of(confusion_matrix(labels, predicted, classes))
                if (found := float(counts.mean_f1(metric))) > best:
                    best, expected = found, tried
    np.testing.assert_array_equal(_best_offsets(logs, labels, metric, 0), expected)
