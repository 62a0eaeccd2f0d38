from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.naming import assert_names, refusal
from tests.settings import default

from batch_nlp.config import Combine, DriftConfig, DriftRule
from batch_nlp.errors import ExitCode, SettingsError
from batch_nlp.monitoring.band import check_drift
from batch_nlp.monitoring.findings import Status
from batch_nlp.monitoring.rules import judge

CLASSES = ["negative", "neutral", "positive"]
SHARE, INTERVAL = default(DriftConfig), default(DriftConfig, rules=[DriftRule.interval])


def out(counts: list[int], settings: DriftConfig = SHARE) -> list[str]:
    return [share.name for share in judge(counts, CLASSES, settings).shares if share.out]


def names(number: int) -> list[str]:
    return [f"class {index}" for index in range(number)]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([10, 10, 80], []),  # exactly 10 % is not under 10 %
        ([9, 11, 80], ["negative"]),
        ([99, 101, 800], ["negative"]),
        ([5, 5, 90], ["negative", "neutral"]),  # exactly 90 % is not over 90 %
        ([4, 5, 91], ["negative", "neutral", "positive"]),
        ([0, 50, 50], ["negative"]),
        ([100, 0, 0], CLASSES),
        ([34, 33, 33], []),
        ([3, 3, 24], []),  # 3 of 30
        ([70, 70, 560], []),
    ],
)
def test_the_literal_rule_triggers_under_ten_and_over_ninety_percent(counts: list[int], expected: list[str]) -> None:
    assert out(counts) == expected
    assert judge(counts, CLASSES, SHARE).status is (Status.DRIFT if expected else Status.OK)


@given(st.integers(1, 400))
def test_shares_of_exactly_a_bound_are_in_the_band_for_any_number_of_messages(tens: int) -> None:
    assert judge([tens, 9 * tens], ["a", "b"], replace(SHARE, min_messages=1)).status is Status.OK


def test_no_messages_are_skipped() -> None:
    """Guarantees 7 and 8."""
    verdict = judge([0, 0, 0], CLASSES, SHARE)
    assert (verdict.status, verdict.shares) == (Status.SKIPPED, [])
    assert verdict.reason


@pytest.mark.parametrize("least", [1, 2, 30])
def test_too_few_messages_do_not_decide_and_just_enough_do(least: int) -> None:
    """Guarantee 8."""
    settings = replace(SHARE, min_messages=least)
    for n in {1, least - 1} - {0, least}:
        verdict = judge([n, 0, 0], CLASSES, settings)
        assert verdict.status is Status.INSUFFICIENT
        assert_names(verdict.reason, n, least)
        assert sum(share.messages for share in verdict.shares) == n
    assert judge([least, 0, 0], CLASSES, settings).status is Status.DRIFT


def test_the_reason_names_every_class_that_is_out_and_its_share() -> None:
    reason = judge([4, 5, 91], CLASSES, SHARE).reason
    assert_names(reason, "negative", "4.0%", "neutral", "5.0%", "10%", "positive", "91.0%", "90%")


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([5, 45, 50], []),  # 5 %, but of 100: up to 11 %
        ([25, 225, 250], ["negative"]),  # 5 % of 500: up to 7 %
        ([2, 5, 93], ["negative"]),  # 93 % of 100: from 86 %
        ([20, 50, 930], ["negative", "neutral", "positive"]),
    ],
)
def test_the_interval_rule_triggers_only_when_the_whole_interval_is_outside(
    counts: list[int], expected: list[str]
) -> None:
    """Guarantee 9."""
    assert out(counts, INTERVAL) == expected
    assert set(expected) <= set(out(counts))


@given(st.lists(st.integers(0, 500), min_size=3, max_size=3))
def test_the_interval_rule_never_triggers_where_the_literal_one_does_not(counts: list[int]) -> None:
    assert set(out(counts, INTERVAL)) <= set(out(counts))


@given(st.lists(st.integers(0, 500), min_size=3, max_size=3).filter(any))
def test_shares_sum_to_one_and_lie_in_their_intervals(counts: list[int]) -> None:
    shares = judge(counts, CLASSES, SHARE).shares
    assert sum(share.share for share in shares) == pytest.approx(1)
    assert all(0 <= share.lower <= share.share <= share.upper <= 1 for share in shares)


@pytest.mark.parametrize("rule", [DriftRule.share, DriftRule.interval])
@pytest.mark.parametrize("counts", [[20, 50, 930], [95, 405, 500], [300, 300, 400]])
def test_a_rule_on_the_band_alone_speaks_for_the_verdict(rule: DriftRule, counts: list[int]) -> None:
    verdict = judge(counts, CLASSES, replace(SHARE, rules=[rule]))
    assert [(found.rule, found.triggers, found.reason) for found in verdict.findings] == [
        (rule.value, verdict.status is Status.DRIFT, verdict.reason)
    ]


@pytest.mark.parametrize(("combine", "status"), [(Combine.any, Status.DRIFT), (Combine.all, Status.OK)])
def test_rules_on_the_band_combine(combine: Combine, status: Status) -> None:
    """5 % of 100 are out of the band for the literal rule, and for the interval not yet."""
    settings = replace(SHARE, rules=[DriftRule.share, DriftRule.interval], combine=combine)
    verdict = judge([5, 45, 50], CLASSES, settings)
    assert verdict.status is status
    assert [finding.triggers for finding in verdict.findings] == [True, False]
    assert [share.out for share in verdict.shares] == [combine is Combine.any, False, False]


def test_a_verdict_is_json() -> None:
    found = json.loads(json.dumps(asdict(judge([1, 2, 97], CLASSES, SHARE))))
    assert found["status"] == "drift"
    assert found["shares"][2]["name"] == "positive"


@pytest.mark.parametrize(
    ("settings", "n_classes", "named"),
    [
        ({"low": 0.34}, 3, ["drift.low=0.34", 3, "0.333"]),
        ({"high": 0.3, "low": 0.1}, 3, ["drift.high=0.3", 3, "0.333"]),
    ],
)
def test_settings_that_no_batch_can_satisfy_are_refused(
    settings: dict[str, Any], n_classes: int, named: list[object]
) -> None:
    """Guarantee 10."""
    with refusal(SettingsError, *named) as wrong:
        check_drift(replace(SHARE, **settings), names(n_classes))
    assert wrong.value.exit_code is ExitCode.SETTINGS


@pytest.mark.parametrize(("settings", "n_classes"), [({}, 3), ({"low": 0.0, "high": 1.0}, 2), ({"low": 0.25}, 4)])
def test_a_band_that_a_batch_can_satisfy_is_accepted(settings: dict[str, float], n_classes: int) -> None:
    check_drift(replace(SHARE, **settings), names(n_classes))
