"""The band with many classes, with bands of single ones, and in a hierarchy."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from tests.naming import assert_names, names, refusal, settings_in
from tests.settings import default

from batch_nlp.config import Combine, DriftConfig, DriftRule
from batch_nlp.errors import SettingsError
from batch_nlp.hierarchy import Leaves
from batch_nlp.monitoring.band import (
    check_bands,
    check_drift,
    for_classes,
    natural_warning,
    parents_of,
    why_impossible,
    with_abstained,
)
from batch_nlp.monitoring.findings import Compared, Comparison, Status, TestResult
from batch_nlp.monitoring.rules import CLASSES_CHI_SQUARE, judge
from batch_nlp.storage.outcomes import outcomes

DEFAULT = default(DriftConfig)
REFERENCE = default(DriftConfig, rules=[DriftRule.reference])
MANY = [f"intent {number}" for number in range(77)]
LEAVES = Leaves(["negative / bags", "negative / late", "neutral", "positive / crew", "positive / food"])


def test_ten_classes_can_be_a_tenth_each_and_eleven_cannot() -> None:
    check_drift(DEFAULT, MANY[:10])
    with refusal(SettingsError, "drift.low=0.1", 11, "0.0909", "drift=reference"):
        check_drift(DEFAULT, MANY[:11])


def test_only_a_rule_that_judges_by_the_band_needs_one_that_can_be_satisfied() -> None:
    check_drift(REFERENCE, MANY)
    with pytest.raises(SettingsError):
        check_drift(replace(DEFAULT, rules=[DriftRule.reference, DriftRule.interval]), MANY)


def test_classes_that_are_found_in_the_data_are_not_known_beforehand() -> None:
    check_drift(DEFAULT, None)
    with refusal(SettingsError, "drift.bands", "1.1"):
        check_drift(replace(DEFAULT, bands={"a": [0.6, 1.0], "b": [0.5, 1.0]}), None)


def test_a_band_of_a_class_that_is_not_there_names_the_nearest() -> None:
    settings = replace(DEFAULT, bands={"neutrl": [0.0, 0.1]})
    check_drift(settings, None)
    for check in (check_drift, check_bands):
        with refusal(SettingsError, "drift.bands", "neutrl", "'neutral'"):
            check(settings, ["negative", "neutral", "positive"])


def test_bands_of_single_classes_make_room_for_many() -> None:
    names = MANY[:12]
    rare = {name: [0.0, 0.2] for name in names[:4]}
    check_drift(replace(DEFAULT, bands=rare), names)  # 8 times 0.1
    few = {name: [0.0, 0.2] for name in names[:1]}
    with refusal(SettingsError, "drift.low=0.1", "drift.bands", 12, "1.1"):
        check_drift(replace(DEFAULT, bands=few), names)
    low = {name: [0.0, 0.05] for name in names[:3]}
    with refusal(SettingsError, "drift.high=0.9", "drift.bands", "0.15"):
        check_drift(replace(DEFAULT, bands=low), names[:3])


def test_a_class_with_a_band_of_its_own_is_judged_by_it() -> None:
    settings = replace(DEFAULT, bands={"rare": [0.01, 0.05]})
    verdict = judge([3, 47, 50], ["rare", "a", "b"], settings)
    assert verdict.status is Status.OK
    verdict = judge([6, 44, 50], ["rare", "a", "b"], settings)
    assert verdict.status is Status.DRIFT
    assert_names(verdict.reason, "rare", "6.0%", "5%")
    assert [share.out for share in verdict.shares] == [True, False, False]
    # 6 of 100 are from 2.8 % to 12.5 %
    interval = replace(settings, rules=[DriftRule.interval])
    assert judge([6, 44, 50], ["rare", "a", "b"], interval).status is Status.OK
    assert (
        judge([60, 440, 500], ["rare", "a", "b"], replace(interval, bands={"rare": [0.0, 0.04]})).status is Status.DRIFT
    )


def beside_hold_out(before: list[float], *, significant: bool) -> Comparison:
    test = TestResult(CLASSES_CHI_SQUARE, "mix", 100.0, 1e-9, 1e-8, significant)
    shares = {name: Compared(None, share) for name, share in zip(MANY, before, strict=True)}
    return Comparison(shares, Compared(0.8, 0.8), [test])


def test_with_77_classes_the_reference_takes_the_place_of_a_band_that_no_batch_can_satisfy() -> None:
    settings, why = for_classes(
        replace(DEFAULT, combine=Combine.all, rules=[*DEFAULT.rules, DriftRule.confidence]), MANY
    )
    assert settings.rules == [DriftRule.reference, DriftRule.confidence]
    assert_names(why, 77, "drift=reference")
    both, _ = for_classes(replace(DEFAULT, rules=[DriftRule.share, DriftRule.interval, DriftRule.reference]), MANY)
    assert both.rules == [DriftRule.reference]
    for fits in (REFERENCE, replace(DEFAULT, low=0.0)):
        assert for_classes(fits, MANY) == (fits, None)
    assert for_classes(DEFAULT, MANY[:3]) == (DEFAULT, None)


def test_with_77_classes_as_on_the_hold_out_nothing_drifts_and_one_that_changed_is_out() -> None:
    settings, _ = for_classes(DEFAULT, MANY)
    before = [1 / 77] * 77
    verdict = judge([10] * 77, MANY, settings, beside_hold_out(before, significant=False))
    assert verdict.status is Status.OK
    assert not any(share.out for share in verdict.shares)
    verdict = judge([100, *[10] * 76], MANY, settings, beside_hold_out(before, significant=True))
    assert verdict.status is Status.DRIFT
    assert_names(verdict.reason, "intent 0", "11.6%", "1.3%")
    assert [share.name for share in verdict.shares if share.out] == ["intent 0"]
    verdict = judge([100, *[10] * 76], MANY, settings, beside_hold_out(before, significant=False))
    assert verdict.status is Status.OK
    assert not any(share.out for share in verdict.shares)


def test_with_twelve_parents_the_band_says_nothing_of_a_parent() -> None:
    leaves = Leaves(f"{parent} / {number}" for parent in "abcdefghijkl" for number in range(2))
    verdict = judge([10] * 24, leaves, REFERENCE)
    assert [share.out for share in verdict.parents] == [False] * 12
    assert [share.out for share in verdict.shares] == [False] * 24


def test_a_reason_names_the_largest_of_many_classes_and_how_many_more_there_are() -> None:
    """Ten classes of which one has nearly all messages."""
    verdict = judge([950, *range(1, 10)], MANY[:10], DEFAULT)
    assert_names(verdict.reason, "intent 0", "95.5%", "90%", "intent 9", "0.9%", "10%", 5)
    assert not names(verdict.reason, "intent 1")


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (["a / x", "b / x", "a / y"], [("a", [0, 2]), ("b", [1])]),
        (["a / x / 1", "a / y", "b"], [("a", [0, 1]), ("b", [2])]),  # the first of three levels
        (["negative", "positive"], []),
        (["a / x", "b / x"], []),  # as many parents as classes
        (["a / x", "a / y"], []),  # one parent has all messages, always
        ([], []),
    ],
)
def test_leaves_have_parents_where_they_make_groups(classes: list[str], expected: list[tuple[str, list[int]]]) -> None:
    assert parents_of(Leaves(classes)) == expected
    assert parents_of(classes) == []  # a label that is no hierarchy


def test_a_slash_in_a_plain_label_is_no_hierarchy() -> None:
    verdict = judge([5, 45, 50], ["Audio / Video", "Audio / Cables", "Books"], DEFAULT)
    assert (verdict.status, verdict.parents) == (Status.DRIFT, [])
    assert [share.out for share in verdict.shares] == [True, False, False]


def test_in_a_hierarchy_the_shares_of_the_parents_are_judged() -> None:
    verdict = judge([8, 22, 40, 5, 25], LEAVES, DEFAULT)
    assert verdict.status is Status.OK
    assert [(share.name, share.messages, share.share) for share in verdict.parents] == [
        ("negative", 30, 0.3),
        ("neutral", 40, 0.4),
        ("positive", 30, 0.3),
    ]
    assert not any(share.out for share in verdict.shares)
    verdict = judge([4, 5, 61, 5, 25], LEAVES, DEFAULT)
    assert verdict.status is Status.DRIFT
    assert_names(verdict.reason, "negative", "9.0%", "10%")
    assert [share.out for share in verdict.parents] == [True, False, False]
    assert [share.out for share in verdict.shares] == [True, True, False, False, False]


def test_bands_in_a_hierarchy_are_those_of_the_parents() -> None:
    check_bands(replace(DEFAULT, bands={"neutral": [0.0, 0.5]}), LEAVES)
    with refusal(SettingsError, "negative / bags"):
        check_bands(replace(DEFAULT, bands={"negative / bags": [0.0, 0.5]}), LEAVES)
    many_leaves = Leaves(f"{parent} / {number}" for parent in "abc" for number in range(20))
    assert why_impossible(DEFAULT, many_leaves) is None


THREE = ["negative", "rare one", "positive"]


def typed(warning: str) -> dict[str, list[float]]:
    """Return the bands of a warning as Hydra reads them from the command line."""
    [setting] = [setting for setting in settings_in(warning) if setting.startswith("+drift.bands=")]
    bands: dict[str, list[float]] = OverridesParser.create().parse_override(setting).value()
    return bands


@pytest.mark.parametrize(
    ("predicted", "trained", "expected"),
    [
        ([0.3, 0.031, 0.669], [0.3, 0.042, 0.658], {"rare one": [0.0, 0.09]}),
        ([0.3, 0.0, 0.7], [0.3, 0.01, 0.69], {"rare one": [0.0, 0.05]}),
        (
            [0.05, 0.02, 0.93],
            [0.03, 0.02, 0.95],
            {"negative": [0.0, 0.1], "rare one": [0.0, 0.05], "positive": [0.86, 1.0]},
        ),
    ],
)
def test_training_names_classes_that_are_rare_by_nature_and_bands_that_fit(
    predicted: list[float], trained: list[float], expected: dict[str, list[float]]
) -> None:
    warning = natural_warning(DEFAULT, THREE, predicted, trained)
    assert warning is not None
    assert_names(warning, len(expected), 3, "rare one", f"{predicted[1]:.1%}", "drift=reference")
    assert typed(warning) == expected
    fits = replace(DEFAULT, bands=typed(warning))
    check_drift(fits, THREE)
    assert natural_warning(fits, THREE, predicted, trained) is None
    for shares in (predicted, trained):
        assert judge([round(1000 * share) for share in shares], THREE, fits).status is Status.OK


def test_training_names_five_of_many_classes() -> None:
    warning = natural_warning(DEFAULT, MANY[:10], [0.82, *[0.02] * 9], [0.82, *[0.02] * 9])
    assert warning is not None
    assert_names(warning, 9, 10)
    assert warning.count("2.0%") == 5
    bands = json.loads(warning.rpartition("bands: ")[2])
    assert list(bands) == MANY[1:6]


def test_a_name_that_the_command_line_cannot_say_goes_into_a_file() -> None:
    warning = natural_warning(DEFAULT, ["café & bar", "other"], [0.05, 0.95], [0.05, 0.95])
    assert_names(warning, 'bands: {"café & bar": [0.0, 0.1], "other": [0.9, 1.0]}')


def test_training_says_what_takes_the_place_of_a_band_that_cannot_be_satisfied() -> None:
    shares = [1 / 77] * 77
    assert natural_warning(DEFAULT, MANY, shares, shares) == for_classes(DEFAULT, MANY)[1]


def test_training_says_nothing_where_every_class_is_in_its_band_or_none_is_judged_by_it() -> None:
    assert natural_warning(DEFAULT, THREE, [0.3, 0.2, 0.5], [0.3, 0.05, 0.65]) is None
    assert natural_warning(REFERENCE, THREE, [0.3, 0.0, 0.7], [0.3, 0.0, 0.7]) is None
    leaves = [0.05, 0.25, 0.4, 0.05, 0.25]
    assert natural_warning(DEFAULT, LEAVES, leaves, leaves) is None


@pytest.mark.parametrize(
    ("counts", "bands", "status"),
    [
        ([50, 50, 0], {}, Status.OK),
        ([50, 45, 5], {}, Status.OK),
        ([4, 4, 92], {}, Status.DRIFT),
        ([95, 5, 0], {}, Status.DRIFT),
        ([50, 45, 5], {"unsure": [0.06, 0.3]}, Status.DRIFT),
        ([30, 30, 40], {"unsure": [0.06, 0.3]}, Status.DRIFT),
    ],
)
def test_messages_of_no_class_have_only_an_upper_bound_unless_they_have_their_own_band(
    counts: list[int], bands: dict[str, list[float]], status: Status
) -> None:
    settings = with_abstained(replace(DEFAULT, bands=bands), "unsure")
    assert judge(counts, ["no", "yes", "unsure"], settings).status is status


def test_abstention_leaves_room_for_ten_classes_and_changes_no_other_settings() -> None:
    assert with_abstained(DEFAULT, None) is DEFAULT
    assert why_impossible(with_abstained(DEFAULT, "unsure"), [*MANY[:10], "unsure"]) is None
    assert parents_of(outcomes(LEAVES, "unsure"))[-1] == ("unsure", [5])
