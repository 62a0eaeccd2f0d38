from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from omegaconf import OmegaConf
from tests.naming import names, refusal
from tests.settings import default

from batch_nlp.config import LabelConfig
from batch_nlp.dataset.classes import ClassMap, check_classes, class_map, find_classes
from batch_nlp.errors import DataError, ExitCode
from batch_nlp.hierarchy import roll_up

CLASSES = ["negative", "neutral", "positive"]
STARS = default(LabelConfig, column="stars", classes={"negative": [1, 2], "neutral": [3], "positive": [4, 5]})
AUTO = default(LabelConfig, column="topic")
DEEP = default(LabelConfig, column=["sentiment", "reason"])


def of(numbers: dict[str, int]) -> pd.Series[Any]:
    return pd.Series([name for name, number in numbers.items() for _ in range(number)], dtype=object)


def rule(label: LabelConfig, rare_as: str, under: int | None = None) -> LabelConfig:
    return replace(label, rare={"as": rare_as} if under is None else {"under": under, "as": rare_as})


def counts(label: LabelConfig, found: pd.Series[Any], least: int = 5) -> dict[str, int]:
    """Return the number of messages of each class, in the order of the classes; -1 are those left out."""
    classes = find_classes(found, label, least)
    numbers = classes.labels.value_counts().to_dict()
    left_out = {"-1": numbers[-1]} if -1 in numbers else {}
    return {name: numbers.get(index, 0) for index, name in enumerate(classes.map.classes)} | left_out


def test_listed_classes_keep_their_order_and_found_ones_are_sorted() -> None:
    assert counts(STARS, of({"5": 9, "1": 6, "2": 1, "3": 5})) == {"negative": 7, "neutral": 5, "positive": 9}
    assert counts(AUTO, of({"b": 5, "a": 6, "B": 7})) == {"B": 7, "a": 6, "b": 5}


def test_rare_classes_go_to_one_are_left_out_or_are_listed() -> None:
    found = of({"a": 8, "b": 9, "c": 3, "d": 2})
    assert counts(rule(AUTO, "other", 4), found) == {"a": 8, "b": 9, "other": 5}
    assert counts(rule(AUTO, "other"), found) == {"a": 8, "b": 9, "other": 5}
    assert counts(rule(AUTO, "ignore", 4), found) == {"a": 8, "b": 9, "-1": 5}
    assert counts(rule(AUTO, "quarantine", 4), found) == {"a": 8, "b": 9, "-1": 5}
    assert find_classes(found, rule(AUTO, "quarantine", 4), 5).rare == {"c": 3, "d": 2}


def test_unknown_labels_of_listed_classes_follow_the_same_rule() -> None:
    found = of({"1": 5, "3": 2, "5": 6, "9": 4})
    assert counts(rule(STARS, "other", 3), found) == {"negative": 5, "positive": 6, "other": 6}
    assert counts(rule(STARS, "ignore", 3), found) == {"negative": 5, "positive": 6, "-1": 6}
    with refusal(DataError, 4, "dataset.label.classes", 9, "rare={as: other}"):
        find_classes(found, STARS, 2)


def test_a_listed_class_called_other_takes_the_rare_ones_in_its_place() -> None:
    label = LabelConfig("v", {"other": ["x"], "a": ["a"], "b": ["b"]}, {"under": 3, "as": "other"}, None, [])
    assert counts(label, of({"x": 5, "a": 5, "b": 1})) == {"other": 6, "a": 5}


def test_rare_leaves_of_a_hierarchy_go_to_the_other_ones_of_their_parent() -> None:
    """2 + 4 of negative are enough for a class of their own; 3 of neutral are not, and go with those of no parent."""
    found = of(
        {"negative / late": 9, "negative / lost": 2, "negative / rude": 4, "neutral / a": 3, "neutral / b": 8, "odd": 2}
    )
    classes = find_classes(found, rule(DEEP, "other", 5), 5)
    assert counts(rule(DEEP, "other", 5), found) == {
        "negative / late": 9, "negative / other": 6, "neutral / b": 8, "other": 5,
    }  # fmt: skip
    unknown = {"negative / new": "negative / other", "neutral / new": "other", "new": "other", "negative": "other"}
    assert {name: classes.map.classes[classes.map.index(name)] for name in unknown} == unknown


def test_a_slash_in_a_plain_label_is_no_hierarchy() -> None:
    assert counts(rule(AUTO, "other", 5), of({"a / b": 3, "a / c": 3, "d": 5})) == {"d": 5, "other": 6}
    found = find_classes(of({"a / other": 9, "b": 9, "c": 5}), rule(AUTO, "other", 6), 5).map
    again = ClassMap.from_dict(found.to_dict())
    assert [again.classes[each.index("a / new")] for each in (found, again)] == ["other", "other"]
    assert roll_up(again.classes) == [("a / other", [0]), ("b", [1]), ("other", [2])]


def test_a_manifest_says_whether_its_classes_are_a_hierarchy() -> None:
    names = ["a / b", "a / c", "d"]
    deep = find_classes(of(dict.fromkeys(names, 5)), DEEP, 5).map
    listed = class_map(replace(DEEP, classes=names))
    assert listed is not None
    for found in (deep, listed, ClassMap.from_dict(deep.to_dict())):
        assert roll_up(found.classes) == [("a", [0, 1]), ("d", [2])]
    written = json.loads(json.dumps(deep.to_dict()))
    assert roll_up(ClassMap.from_dict(written).classes) == [("a", [0, 1]), ("d", [2])]
    flat = ClassMap.from_dict({**written, "deep": False}).classes
    assert roll_up(flat) == [(name, [index]) for index, name in enumerate(names)]


def test_where_other_ones_are_too_few_themselves_they_are_left_out() -> None:
    found = of({"a": 600, "b": 600, "stray": 1})
    classes = find_classes(found, rule(AUTO, "other"), 20).map
    assert counts(rule(AUTO, "other"), found, 20) == {"a": 600, "b": 600, "-1": 1}
    assert (classes.other, classes.index("stray"), classes.index("another")) == (None, -1, -1)
    assert counts(rule(AUTO, "other"), of({"a": 9, "b": 9, "other": 2, "c": 1})) == {"a": 9, "b": 9, "-1": 3}
    assert counts(rule(STARS, "other", 2), of({"1": 9, "3": 9, "5": 9, "odd": 1})) == {
        "negative": 9, "neutral": 9, "positive": 9, "-1": 1,
    }  # fmt: skip


def test_in_a_hierarchy_what_no_level_above_can_take_in_is_left_out() -> None:
    """Other ones of `a` are a class, those of `b` and of all are not."""
    found = of({"a / x": 9, "a / y": 3, "a / z": 3, "b / x": 9, "b / y": 1, "stray": 1})
    classes = find_classes(found, rule(DEEP, "other"), 5).map
    assert counts(rule(DEEP, "other"), found) == {"a / x": 9, "b / x": 9, "a / other": 6, "-1": 2}
    assert [classes.index(name) for name in ("a / new", "b / y", "b / new", "stray", "new")] == [0, -1, -1, -1, -1]


def test_a_listed_class_called_other_is_missed_by_name() -> None:
    """Guarantee 15."""
    label = LabelConfig("v", ["other", "a", "b"], {"as": "other"}, None, [])
    with refusal(DataError, "other", 3, "as: ignore"):
        find_classes(of({"a": 30, "b": 40, "c": 3}), label, 20)


def test_a_map_outlives_its_run_in_the_manifest() -> None:
    found = find_classes(of({"a": 8, "b": 9, "c": 5}), rule(AUTO, "other", 6), 5).map
    again = ClassMap.from_dict(found.to_dict())
    assert again == found
    assert class_map(STARS, {"label_map": found.to_dict()}) == found
    indices = again.indices(pd.Series(["c", "b", None, "never seen"], index=[3, 5, 7, 9], dtype=object))
    assert indices.to_dict() == {3: 2, 5: 1, 7: -1, 9: 2}
    without = ClassMap(["a", "b"], {"a": "a", "b": "b"})
    assert without.indices(pd.Series(["b", "z"], dtype=object)).tolist() == [1, -1]


def test_without_a_model_listed_classes_are_known_and_found_ones_are_not() -> None:
    assert class_map(AUTO) is None
    listed = class_map(STARS)
    assert listed is not None
    assert (listed.classes, listed.index("4"), listed.index("9")) == (CLASSES, 2, -1)


@pytest.mark.parametrize(
    ("numbers", "label"),
    [
        ({"a": 30, "b": 40, "c": 19, "d": 1}, AUTO),
        ({"a": 30, "b": 40, "c": 3}, AUTO),
        ({"1": 30, "5": 40, "3": 10}, STARS),
        ({"1": 30, "5": 40}, STARS),
        ({"p / a": 30, "p / b": 25, "q": 4, "p / c": 2, "p / d": 19}, DEEP),
        ({"p / a": 30, "p / b": 25, "q": 4}, DEEP),
    ],
)
def test_the_advice_for_classes_that_are_too_small_works(numbers: dict[str, int], label: LabelConfig) -> None:
    """Guarantee 15."""
    with refusal(DataError, 20) as short:
        find_classes(of(numbers), label, 20)
    assert short.value.exit_code is ExitCode.DATA
    advice = re.search(r"'dataset\.label\.rare=(\{.*?\})'", str(short.value))
    assert advice
    found = find_classes(of(numbers), replace(label, rare=dict(OmegaConf.create(advice[1]))), 20)
    assert len(found.map.classes) >= 2


@pytest.mark.parametrize("numbers", [{"a": 30}, {}])
def test_one_class_only_is_refused(numbers: dict[str, int]) -> None:
    """Guarantee 15."""
    with refusal(DataError, "dataset.label", sum(numbers.values()), *numbers):
        find_classes(of(numbers), AUTO, 5)


def test_enough_of_every_class_is_enough() -> None:
    labels = pd.Series([0, 0, 1, 1, 2, 2])
    check_classes(labels, CLASSES, 2, "messages", labels, 2)


def test_all_classes_with_too_few_messages_are_named_with_their_numbers() -> None:
    """Guarantee 15."""
    labels = pd.Series([0] * 30 + [1] * 3)
    with refusal(DataError, 20, "neutral", 3, "positive", 0, "training.min_class_messages") as short:
        check_classes(labels, CLASSES, 20, "messages to train on", labels, 20)
    assert short.value.exit_code is ExitCode.DATA


def test_of_many_small_classes_ten_are_named() -> None:
    labels = pd.Series([0] * 30 + [1] * 30 + list(range(2, 152)))
    with refusal(DataError, "c11", 140) as short:
        check_classes(labels, [f"c{index}" for index in range(152)], 20, "messages", labels, 20)
    assert not names(short.value, "c12")
