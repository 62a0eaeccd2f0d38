from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.naming import refusal
from tests.settings import default

from batch_nlp.config import LabelConfig
from batch_nlp.dataset.labels import Labels, check_label
from batch_nlp.errors import ExitCode, SettingsError

STARS = default(LabelConfig, column="stars", classes={"bad": [1, 2], "good": [4, "5"]})
AUTO = default(LabelConfig, column="stars")


def read(label: LabelConfig, **columns: list[Any]) -> tuple[list[Any], list[bool]]:
    """Return targets, and which values cannot be labels; None here stands for a value that is missing."""
    targets, unreadable = Labels(label).read(pd.DataFrame(columns, dtype=object))
    return targets.tolist(), unreadable.tolist()


@pytest.mark.parametrize(
    ("value", "listed", "auto"),
    [
        ("007", "007", "007"),
        ("1e5", "1e5", "1e5"),
        (" late flight\n", "late flight", "late flight"),
        (4.0, "4", "4"),
        (4, "4", "4"),
        (np.int64(4), "4", "4"),
        (Decimal("4.0"), "4", "4"),
        (10**400, "1" + "0" * 400, "1" + "0" * 400),
        (2.5, "2.5", "2.5"),
        ("4.0", "4", "4.0"),
        ("4.00", "4", "4.00"),
        ("3.0", "3.0", "3.0"),
        ("-4.0", "-4.0", "-4.0"),
        ("", None, None),
        ("  ", None, None),
        (float("nan"), None, None),
        (None, None, None),
        (pd.NA, None, None),
    ],
)
def test_a_target_is_the_label_as_text(value: Any, listed: str | None, auto: str | None) -> None:
    # alone, and among values of another kind, which take another way
    alone_and_not: list[list[Any]] = [[], [[]]]
    for others in alone_and_not:
        assert read(STARS, stars=[value, *others]) == ([listed, *[None] * len(others)], [False, *[True] * len(others)])
        assert read(AUTO, stars=[value, *others])[0][0] == auto


def test_a_listed_label_with_decimals_keeps_them() -> None:
    assert read(default(LabelConfig, column="v", classes=["4.0", 5]), v=["4.0", "5.0"])[0] == ["4.0", "5"]


@pytest.mark.parametrize("value", [{"a": 1}, [1], np.array([1, 2]), pd.Timestamp("2024-01-01"), "\ud800"])
def test_what_cannot_be_a_label_is_told(value: Any) -> None:
    targets, unreadable = read(AUTO, stars=["4", value])
    assert (targets, unreadable) == (["4", None], [False, True])


def test_true_and_false_are_labels_where_labels_are_not_listed_without_them() -> None:
    assert read(AUTO, stars=[True, 1, False]) == (["true", "1", "false"], [False] * 3)
    assert read(STARS, stars=[True, 1]) == ([None, "1"], [True, False])
    assert read(default(LabelConfig, column="spam", classes={"spam": [True], "ham": [False]}), spam=[True, False])[
        0
    ] == ["true", "false"]


@pytest.mark.parametrize(("spam", "ham"), [("true", "false"), ("TRUE", "False"), ("True", "FALSE")])
def test_true_and_false_are_labels_that_are_listed_in_any_case(spam: object, ham: object) -> None:
    label = default(LabelConfig, column="v", classes={"spam": [spam], "ham": [ham]})
    assert read(label, v=[True, False, "tRUE"]) == ([str(spam), str(ham), "tRUE"], [False] * 3)


def test_of_alternative_columns_the_first_that_is_there_counts() -> None:
    label = default(LabelConfig, column=[["product", "Product"]])
    assert Labels(label).columns == ["product", "Product"]
    assert read(label, product=["a", None, ""], Product=["b", "c", "d"])[0] == ["a", "c", "d"]
    assert read(label, Product=["b"])[0] == ["b"]
    assert read(label, text=["b"]) == ([None], [False])


def test_the_levels_of_a_hierarchy_are_joined_down_to_the_first_that_is_missing() -> None:
    label = default(LabelConfig, column=["sentiment", ["reason", "why"], "detail"])
    assert Labels(label).columns == ["sentiment", "reason", "why", "detail"]
    targets, unreadable = read(
        label,
        sentiment=["negative", "negative", "positive", None, "negative", "negative"],
        reason=["Late Flight", None, None, "Lost", {}, None],
        why=[None, "Rude", None, None, None, None],
        detail=["2.0", None, None, None, None, "no reason"],
    )
    assert targets == ["negative / Late Flight / 2.0", "negative / Rude", "positive", None, None, "negative"]
    assert unreadable == [False, False, False, False, True, False]


def test_messages_without_a_label_have_no_columns_and_no_targets() -> None:
    labels = Labels(default(LabelConfig))
    assert (labels.columns, labels.levels, labels.allowed) == ([], [], None)
    assert read(default(LabelConfig), text=["a", "b"]) == ([None, None], [False, False])


@pytest.mark.parametrize(
    ("label", "allowed"),
    [
        (STARS, {"1", "2", "4", "5"}),
        (default(LabelConfig, column="v", classes=[1, "b"]), {"1", "b"}),
        (default(LabelConfig, column="v", classes={"spam": 1, "ham": 0}), {"1", "0"}),
        (LabelConfig("v", ["a", "b"], {"as": "quarantine"}, None, []), {"a", "b"}),
        (LabelConfig("v", ["a", "b"], {"as": "other"}, None, []), None),
        (LabelConfig("v", ["a", "b"], {"as": "ignore"}, None, []), None),
        (AUTO, None),
    ],
)
def test_listed_targets_alone_pass_unless_a_rule_takes_the_others(label: LabelConfig, allowed: set[str] | None) -> None:
    check_label(label)
    assert Labels(label).allowed == allowed


@pytest.mark.parametrize(
    ("label", "words"),
    [
        (default(LabelConfig, column="v", classes=["one"]), ["dataset.label.classes=['one']"]),
        (default(LabelConfig, column="v", classes={"one": ["a", "b"]}), ["dataset.label.classes={"]),
        (default(LabelConfig, column="v", classes={"a": [1], "b": ["1"]}), ["dataset.label.classes=", 1]),
        (default(LabelConfig, column="v", classes=["a", "b", "a"]), ["dataset.label.classes=", "a"]),
        (default(LabelConfig, column="v", classes={"a": [1], "b": []}), ["dataset.label.classes=", "b"]),
        (default(LabelConfig, column="v", classes={"a": [1], "b": {"c": 2}}), ["dataset.label.classes="]),
        (default(LabelConfig, column="v", classes=["a", None]), ["dataset.label.classes="]),
        (default(LabelConfig, column="v", classes=["a", " "]), ["dataset.label.classes="]),
        (default(LabelConfig, column="v", classes=3), ["dataset.label.classes=3", "auto"]),
        (default(LabelConfig, column="v", classes="atuo"), ["dataset.label.classes=atuo", "'auto'"]),
        (default(LabelConfig, column=3), ["dataset.label.column=3"]),
        (default(LabelConfig, column=[]), ["dataset.label.column=[]"]),
        (default(LabelConfig, column=["a", []]), ["dataset.label.column="]),
        (default(LabelConfig, column=["a", ["b", ["c"]]]), ["dataset.label.column="]),
    ],
)
def test_settings_that_cannot_be_met_are_refused_by_their_name(label: LabelConfig, words: list[object]) -> None:
    """Guarantee 10."""
    with refusal(SettingsError, *words) as wrong:
        check_label(label)
    assert wrong.value.exit_code is ExitCode.SETTINGS
