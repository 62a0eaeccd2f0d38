"""What each rule on the champion's hold-out triggers for, to the letter: bounds, and the words of its reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist

import pytest
from tests.naming import assert_names, names
from tests.settings import default

from batch_nlp.config import Combine, DriftConfig, DriftRule
from batch_nlp.monitoring.findings import Compared, Comparison, Finding, Status, TestResult
from batch_nlp.monitoring.rules import (
    CLASSES_CHI_SQUARE,
    EMBEDDING_AUC,
    NO_REFERENCE,
    apply_rule,
    class_shares,
    judge,
    less_sure,
    name_tests,
)

CLASSES = ["negative", "neutral", "positive"]
BEFORE, AS_SURE = (0.25, 0.25, 0.5), Compared(0.75, 0.75)


def result(
    name: str, *, kind: str = "mix", value: float = 0.5, p_adjusted: float = 0.5, counts: bool = False
) -> TestResult:
    return TestResult(name, kind, value, p_adjusted, p_adjusted, counts)


def beside(*tests: TestResult, before: Sequence[float | None] = BEFORE, confidence: Compared = AS_SURE) -> Comparison:
    """Return a batch beside a hold-out that had these shares."""
    shares = {name: Compared(None, share) for name, share in zip(CLASSES, before, strict=True)}
    return Comparison(shares, confidence, list(tests))


def found(
    rule: DriftRule, comparison: Comparison | None, counts: Sequence[int] = (25, 25, 50), **settings: float
) -> Finding:
    # each test names fields that hold numbers
    drift = default(DriftConfig, **settings)  # type: ignore[arg-type]
    return apply_rule(rule, class_shares(counts, CLASSES, drift), comparison, drift)


@pytest.mark.parametrize("rule", [DriftRule.reference, DriftRule.distance, DriftRule.confidence, DriftRule.embedding])
def test_without_a_reference_no_rule_on_it_triggers(rule: DriftRule) -> None:
    assert found(rule, None) == Finding(rule.value, False, NO_REFERENCE)


def test_a_reference_that_differs_triggers_and_names_the_shares_that_changed_enough() -> None:
    # of 64: 20 are 0.0625 more than 0.25, to the bit, which is just enough
    comparison = beside(result("psi of the predicted classes"), result(CLASSES_CHI_SQUARE, counts=True))
    finding = found(DriftRule.reference, comparison, [20, 21, 23], min_share_change=0.0625)
    assert (finding.rule, finding.triggers) == ("reference", True)
    figures = ["31.2%", "25.0%", "32.8%", "35.9%", "50.0%"]
    assert_names(finding.reason, *CLASSES, *figures)


def test_a_reference_is_not_called_different_by_another_test() -> None:
    others = [result(EMBEDDING_AUC, counts=True), result("psi of the predicted classes", counts=True)]
    finding = found(DriftRule.reference, beside(*others), [30, 20, 50], min_share_change=0.04)
    assert (finding.rule, finding.triggers) == ("reference", False)
    assert not names(finding.reason, "negative")


def test_shares_near_those_of_the_reference_are_called_so() -> None:
    finding = found(DriftRule.reference, beside(result(CLASSES_CHI_SQUARE)), [26, 24, 50])
    assert (finding.rule, finding.triggers) == ("reference", False)
    assert_names(finding.reason, "5.0%")


def test_a_class_whose_share_on_the_hold_out_is_not_known_counts_as_none() -> None:
    comparison = beside(result(CLASSES_CHI_SQUARE, counts=True), before=[None, 0.25, 0.5])
    reason = found(DriftRule.reference, comparison).reason
    assert_names(reason, "negative", "25.0%", "0.0%")
    assert not names(reason, "neutral")


def test_a_distance_triggers_for_a_mix_that_counts_and_names_it() -> None:
    comparison = beside(
        result("psi of the predicted classes", value=0.256, counts=True),
        result("ks of text_length", value=0.111),
        result("ks of word_count", value=0.333, counts=True),
    )
    finding = found(DriftRule.distance, comparison)
    assert (finding.rule, finding.triggers) == ("distance", True)
    assert_names(finding.reason, "psi of the predicted classes 0.26", "ks of word_count 0.33")
    assert not names(finding.reason, "text_length")


def test_a_distance_leaves_to_other_rules_what_is_theirs() -> None:
    comparison = beside(
        result(CLASSES_CHI_SQUARE, counts=True),
        result(EMBEDDING_AUC, counts=True),
        result("ks of the confidence", kind="quality", counts=True),
        result("ks of word_count"),
    )
    finding = found(DriftRule.distance, comparison)
    assert (finding.rule, finding.triggers) == ("distance", False)
    assert not names(finding.reason, CLASSES_CHI_SQUARE)


OTHER_WORDS = result("ks of word_count", p_adjusted=0.0001)


@pytest.mark.parametrize(
    ("now", "before", "p_adjusted", "triggers"),
    [
        (0.5, 0.75, 0.001, True),
        (0.625, 0.75, 0.001, True),  # just as far as counts
        (0.6251, 0.75, 0.001, False),
        (0.5, 0.75, 0.0099, True),
        (0.5, 0.75, 0.01, False),  # significance is under its bound, not at it
        (0.75, 0.5, 0.001, False),  # surer
        (None, 0.75, 0.001, True),
        (0.5, None, 0.001, False),
    ],
)
def test_a_confidence_triggers_when_it_fell_far_enough_and_beyond_chance(
    now: float | None, before: float | None, p_adjusted: float, triggers: bool
) -> None:
    comparison = beside(
        OTHER_WORDS,
        result("ks of the confidence", kind="quality", p_adjusted=p_adjusted),
        result("ks of the entropy", kind="quality", p_adjusted=0.9),
        confidence=Compared(now, before),
    )
    finding = found(DriftRule.confidence, comparison, min_confidence_drop=0.125)
    assert (finding.rule, finding.triggers) == ("confidence", triggers)
    assert_names(finding.reason, f"{now or 0:.3f}", f"{before or 0:.3f}")


def test_a_difference_of_the_mix_alone_does_not_make_the_model_less_sure() -> None:
    assert not less_sure(beside(OTHER_WORDS, confidence=Compared(0.1, 0.9)), default(DriftConfig))


@pytest.mark.parametrize("counts", [True, False])
def test_an_embedding_triggers_as_its_test_says(counts: bool) -> None:
    others = [result("ks of word_count", counts=not counts)]
    comparison = beside(*others, result(EMBEDDING_AUC, value=0.61234, counts=counts))
    finding, nothing = found(DriftRule.embedding, comparison), found(DriftRule.embedding, beside(*others))
    assert [(rule.rule, rule.triggers) for rule in (finding, nothing)] == [("embedding", counts), ("embedding", False)]
    assert_names(finding.reason, "AUC", "0.612")
    assert not names(nothing.reason, "AUC")


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (1, "t0 0.12"),
        (4, "t0 0.12, t1 1.12, t2 2.12, t3 3.12"),
        (5, "t0 0.12, t1 1.12, t2 2.12, t3 3.12"),
        (7, "t0 0.12, t1 1.12, t2 2.12, t3 3.12"),
    ],
)
def test_four_tests_are_named_and_the_rest_counted(n: int, expected: str) -> None:
    told = name_tests([result(f"t{number}", value=number + 0.123) for number in range(n)])
    assert re.findall(r"\d+", told.removeprefix(expected)) == ([str(n - 4)] if n > 4 else [])


def test_shares_carry_their_messages_and_interval() -> None:
    shares = class_shares([5, 45, 50], CLASSES, default(DriftConfig, confidence=0.9))
    assert [(share.name, share.messages, share.share) for share in shares] == [
        ("negative", 5, 0.05),
        ("neutral", 45, 0.45),
        ("positive", 50, 0.5),
    ]
    # Wilson's interval: E. B. Wilson, JASA 22 (1927), 209-212
    z = NormalDist().inv_cdf(0.95)
    for share, p in zip(shares, (0.05, 0.45, 0.5), strict=True):
        centre, half = p + z**2 / 200, z * sqrt(p * (1 - p) / 100 + z**2 / 40_000)
        bounds = ((centre - half) / (1 + z**2 / 100), (centre + half) / (1 + z**2 / 100))
        assert (share.lower, share.upper) == pytest.approx(bounds, abs=1e-12)


def test_counts_and_classes_must_be_as_many() -> None:
    with pytest.raises(ValueError):
        class_shares([5, 95], CLASSES, default(DriftConfig))


@pytest.mark.parametrize("rules", [[DriftRule.confidence], [DriftRule.confidence, DriftRule.share]])
def test_without_a_rule_on_the_band_a_class_is_out_by_the_literal_one(rules: list[DriftRule]) -> None:
    shares = class_shares([5, 45, 50], CLASSES, default(DriftConfig, rules=rules))
    assert [share.out for share in shares] == [True, False, False]


def test_a_silent_rule_on_the_band_says_what_the_band_is() -> None:
    settings = default(DriftConfig, low=0.2, high=0.7)
    assert_names(judge([30, 30, 40], CLASSES, settings).reason, "20%", "70%")


def test_the_reason_of_several_rules_names_all_that_speak_for_the_verdict() -> None:
    rules = [DriftRule.share, DriftRule.interval, DriftRule.confidence]
    any_of, all_of = (default(DriftConfig, rules=rules, combine=combine) for combine in (Combine.any, Combine.all))
    batch = [20, 50, 930]
    verdict = judge(batch, CLASSES, any_of)
    share, interval, confidence = (finding.reason for finding in verdict.findings)
    assert_names(share, "negative", "2.0%", "neutral", "5.0%", "10%", "positive", "93.0%", "90%")
    assert (interval, confidence) == (share, NO_REFERENCE)
    assert (verdict.status, verdict.reason) == (Status.DRIFT, f"{share}; {interval}")
    verdict = judge(batch, CLASSES, all_of)
    assert verdict.status is Status.OK
    assert_names(verdict.reason, 2, 3, f"{share}; {interval}", NO_REFERENCE)
    assert len(verdict.findings) == 3
    quiet = judge([300, 300, 400], CLASSES, all_of)
    reasons = [finding.reason for finding in quiet.findings]
    assert (quiet.status, quiet.reason) == (Status.OK, "; ".join(reasons))
    assert_names(reasons[0], "10%", "90%")


def test_a_comparison_reaches_the_rules_that_need_it() -> None:
    settings = default(DriftConfig, rules=[DriftRule.embedding])
    comparison = beside(result(EMBEDDING_AUC, value=0.9, counts=True))
    assert judge([30, 30, 40], CLASSES, settings, comparison).status is Status.DRIFT
    assert judge([30, 30, 40], CLASSES, settings).status is Status.OK


def test_a_verdict_without_a_judgement_keeps_the_shares() -> None:
    few = judge([5, 5, 5], CLASSES, default(DriftConfig))
    assert (few.status, few.findings) == (Status.INSUFFICIENT, [])
    assert_names(few.reason, 15, 30)
    assert [share.messages for share in few.shares] == [5, 5, 5]
