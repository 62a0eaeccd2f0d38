from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.naming import assert_names, names
from tests.settings import default

from batch_nlp.config import GateConfig, ThresholdsConfig
from batch_nlp.metrics.bootstrap import lower_bound_of_difference
from batch_nlp.training.gate import (
    GateCheck,
    GateDecision,
    check_against_champion,
    check_thresholds,
    threshold,
)
from batch_nlp.training.validation import Validation

CLASSES = ["negative", "neutral", "positive"]
Labels = NDArray[np.int64]
GATE = default(GateConfig, tolerance=0.01, max_recall_drop=0.1, bootstrap_samples=1000, confidence=0.95)


def truth_and(*accuracies: float, n: int = 600, seed: int = 0) -> list[Labels]:
    """Return true classes and, for each accuracy, predictions that are right so often."""
    random = np.random.default_rng(seed)
    truth = random.choice(3, n, p=[0.2, 0.13, 0.67])
    wrong = [(truth + random.integers(1, 3, n)) % 3 for _ in accuracies]
    right = [random.random(n) < accuracy for accuracy in accuracies]
    return [truth, *(np.where(hit, truth, other) for hit, other in zip(right, wrong, strict=True))]


def decide(truth: Labels, candidate: Labels, champion: Labels, gate: GateConfig = GATE) -> GateDecision:
    return GateDecision(check_against_champion(truth, candidate, champion, CLASSES, "f1_weighted", gate, 1))


def test_without_gate_settings_nothing_passes() -> None:
    """Guarantee 13."""
    truth, predicted = truth_and(0.9)
    checks = check_thresholds(
        Validation.of(truth, predicted, CLASSES), ThresholdsConfig(f1_macro=None, f1_weighted=None, recall=None)
    )
    assert checks == []
    decision = GateDecision(checks)
    assert not decision.passed
    assert_names(decision.failures, "training.thresholds", "training.gate")


@pytest.mark.parametrize("name", ["f1_macro", "f1_weighted", "recall"])
def test_a_threshold_is_met_when_reached_and_failed_below(name: str) -> None:
    truth, predicted = truth_and(0.8)
    found = Validation.of(truth, predicted, CLASSES)
    value = float(found.counts.recall.min()) if name == "recall" else found.metric(name)
    assert GateDecision(check_thresholds(found, default(ThresholdsConfig, **{name: value}))).passed
    failed = GateDecision(check_thresholds(found, default(ThresholdsConfig, **{name: np.nextafter(value, 1)})))
    assert not failed.passed
    assert_names(failed.failures, f"training.thresholds.{name}", f"{value:.4f}")


def test_only_the_thresholds_that_are_set_are_asked() -> None:
    truth, predicted = truth_and(0.8)
    checks = check_thresholds(
        Validation.of(truth, predicted, CLASSES), ThresholdsConfig(f1_macro=0.1, recall=0.99, f1_weighted=None)
    )
    assert [(check.name.rpartition(".")[2], check.passed) for check in checks] == [
        ("f1_macro", True),
        ("recall", False),
    ]


@pytest.mark.parametrize(
    ("n_classes", "expected"),
    [(2, [0.5, 0.6, 0.2]), (3, [0.5, 0.6, 0.2]), (4, [0.3, 0.3, None]), (7, [0.1929, 0.1929, None])],
)
def test_auto_asks_for_less_the_more_classes_there_are(n_classes: int, expected: list[float | None]) -> None:
    names = ("f1_macro", "f1_weighted", "recall")
    assert [threshold(name, "auto", n_classes) for name in names] == expected
    assert [threshold(name, None, n_classes) for name in names] == [None] * 3
    assert [threshold(name, 0.7, n_classes) for name in names] == [0.7] * 3


def test_auto_is_checked_for_each_metric() -> None:
    truth, predicted = truth_and(0.8)
    auto = ThresholdsConfig(f1_macro="auto", f1_weighted="auto", recall="auto")
    checks = check_thresholds(Validation.of(truth, predicted, CLASSES), auto)
    assert {check.name.rpartition(".")[2]: check.bound for check in checks} == {
        "f1_weighted": 0.6, "f1_macro": 0.5, "recall": 0.2,
    }  # fmt: skip


def test_an_identical_candidate_fails() -> None:
    """Guarantee 12."""
    truth, predicted = truth_and(0.8)
    decision = decide(truth, predicted, predicted.copy())
    assert not decision.passed
    assert decision.same_as_champion
    assert [check.passed for check in decision.checks] == [False, True, True]


def test_a_worse_candidate_is_refused() -> None:
    """Guarantee 12."""
    truth, candidate, champion = truth_and(0.7, 0.8)
    decision = decide(truth, candidate, champion, default(GateConfig, tolerance=0.01, max_recall_drop=None))
    assert not decision.passed
    assert_names(decision.failures, "f1_weighted", f"{decision.checks[1].value:.4f}")


def test_a_better_candidate_passes_and_so_does_one_that_is_as_good() -> None:
    truth, candidate, champion = truth_and(0.9, 0.8)
    assert decide(truth, candidate, champion).passed
    assert not decide(truth, candidate, champion).same_as_champion
    equal = champion.copy()
    wrong_before, right_before = (np.flatnonzero((champion == truth) == right)[:2] for right in (False, True))
    equal[wrong_before] = truth[wrong_before]
    equal[right_before] = (truth[right_before] + 1) % 3
    assert decide(truth, equal, champion).passed


def test_a_candidate_that_gives_up_one_class_is_refused_by_its_name() -> None:
    truth, champion = truth_and(0.8)
    candidate = np.where(truth == 2, 2, np.where(truth == 1, 0, champion))
    decision = decide(truth, candidate, champion, default(GateConfig, tolerance=0.5, max_recall_drop=0.1))
    assert not decision.passed
    assert_names(decision.failures, "recall", "neutral")


def test_a_recall_may_fall_just_as_far_as_allowed() -> None:
    truth = np.repeat([0, 1, 2], 8)
    champion = truth.copy()
    candidate = truth.copy()
    candidate[:2] = 1  # recall of class 0: 0.75
    for allowed, passes in ((0.25, True), (0.2499, False)):
        assert (
            decide(truth, candidate, champion, default(GateConfig, max_recall_drop=allowed, tolerance=None)).passed
            is passes
        )


@pytest.mark.parametrize("metric", ["f1_macro", "f1_weighted"])
def test_the_bound_of_the_metric_that_is_asked_for_may_lie_just_as_low_as_tolerated(metric: str) -> None:
    truth, candidate, champion = truth_and(0.8, 0.82)
    bound = lower_bound_of_difference(truth, candidate, champion, 3, metric, 1000, 0.95, 5)
    assert bound < 0
    for tolerance, passes in ((-bound, True), (np.nextafter(-bound, 0), False)):
        gate = default(GateConfig, tolerance=float(tolerance), max_recall_drop=0.5)
        _, lower, recall = check_against_champion(truth, candidate, champion, CLASSES, metric, gate, 5)
        assert (lower.value, lower.bound, lower.passed) == (bound, -tolerance, passes)
        assert (recall.bound, recall.passed) == (-0.5, True)


def test_a_check_says_what_was_found_and_asked() -> None:
    assert_names(
        GateCheck("training.thresholds.recall", 0.51239, 0.5, True), "training.thresholds.recall", "0.5124", "0.5000"
    )
    assert_names(GateCheck("its own name", None, None, False), "its own name")
    assert [str(GateCheck("name", None, None, passed)).removeprefix("name: ") for passed in (True, False)] == [
        "passed",
        "failed",
    ]


def test_what_is_not_set_is_not_compared() -> None:
    truth, candidate, champion = truth_and(0.1, 0.9)
    checks = check_against_champion(
        truth, candidate, champion, CLASSES, "f1_macro", default(GateConfig, tolerance=None, max_recall_drop=None), 1
    )
    assert [(check.value, check.bound, check.passed) for check in checks] == [(None, None, True)]


def test_a_decision_names_every_failed_check_and_only_those() -> None:
    truth, candidate, champion = truth_and(0.5, 0.9)
    decision = decide(truth, candidate, champion)
    passed, *failed = decision.checks
    assert_names(decision.failures, *(check.name for check in failed))
    assert not names(decision.failures, passed.name)
    assert [check["passed"] for check in decision.to_list()] == [True, False, False]


def test_a_class_that_the_candidate_does_not_know_is_never_right() -> None:
    truth = np.repeat([0, 1], 20)
    champion = np.where(np.arange(40) % 2, truth, 3)  # every second message is of a class that is gone
    differs, bound, recall = check_against_champion(truth, truth.copy(), champion, CLASSES, "f1_macro", GATE, 1)
    assert differs.passed
    # F1 of the champion: 2 * 10 / (10 + 20) in both classes
    assert bound.value == pytest.approx(1 - 2 / 3, abs=0.2)
    assert_names(recall.name, "negative")
    assert recall.value == 0.5


def test_a_class_without_a_held_out_message_counts_neither_way() -> None:
    """Macro F1 over the two classes that are there, as if the third were not: worked out with two classes."""
    random = np.random.default_rng(3)
    truth = random.integers(0, 2, 300)
    candidate = np.where(random.random(300) < 0.9, truth, 1 - truth)
    found = Validation.of(truth, candidate, CLASSES)
    assert found.metric("f1_macro") == Validation.of(truth, candidate, CLASSES[:2]).metric("f1_macro")
    (check,) = check_thresholds(found, ThresholdsConfig(recall=0.5, f1_macro=None, f1_weighted=None))
    assert check.value == found.counts.recall[:2].min()


MANY = [f"intent {number}" for number in range(77)]


def of_many(each: int, right: float, seed: int) -> tuple[Labels, Labels]:
    """Return true classes of 77, `each` messages a class, and predictions that are right so often."""
    random = np.random.default_rng(seed)
    truth = np.repeat(np.arange(77), each)
    return truth, np.where(random.random(len(truth)) < right, truth, (truth + 1) % 77)


@pytest.mark.parametrize("seed", range(5))
def test_of_many_classes_chance_alone_fails_no_check(seed: int) -> None:
    """Two honest models, 80 % right: of ten messages a class, some class is recognised 5 times less often."""
    (truth, champion), (_, candidate) = of_many(10, 0.8, seed), of_many(10, 0.8, seed + 100)
    (check,) = check_against_champion(
        truth, candidate, champion, MANY, "f1_macro", default(GateConfig, max_recall_drop=0.1, tolerance=None), 1
    )[1:]
    assert_names(check.name, "recall", "intent")
    assert check.passed
    truth, candidate = of_many(4, 0.6, seed)
    found = Validation.of(truth, candidate, MANY)
    assert found.counts.recall.min() < 0.3
    assert GateDecision(check_thresholds(found, ThresholdsConfig(recall=0.3, f1_macro=None, f1_weighted=None))).passed


def test_of_many_classes_one_that_is_given_up_fails_by_name() -> None:
    truth, champion = of_many(40, 0.8, 0)
    candidate = np.where(truth == 5, 6, champion)
    (check,) = check_against_champion(
        truth, candidate, champion, MANY, "f1_macro", default(GateConfig, max_recall_drop=0.1, tolerance=None), 1
    )[1:]
    assert_names(check.name, "intent 5")
    assert not check.passed
    found = Validation.of(truth, candidate, MANY)
    (check,) = check_thresholds(found, ThresholdsConfig(recall=0.2, f1_macro=None, f1_weighted=None))
    # none of 40: 1 - (0.05 / 77) ** (1 / 40)
    assert check.value == pytest.approx(0.1677, abs=1e-4)
    assert not check.passed


def test_a_candidate_that_abstains_from_what_the_champion_knows_is_refused() -> None:
    labels = np.tile([0, 1], 200)
    gate = default(GateConfig)
    none = np.full(400, 2)
    checks = check_against_champion(labels, none, labels, ["a", "b"], "f1_macro", gate, 0)
    assert [check.passed for check in checks] == [True, False, False]
    checks = check_against_champion(labels, labels, none, ["a", "b"], "f1_macro", gate, 0)
    assert all(check.passed for check in checks)
