from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.naming import refusal
from tests.settings import default

from batch_nlp.config import LabelConfig
from batch_nlp.dataset.classes import find_classes
from batch_nlp.dataset.label_order import check_order, class_ranks, is_ordered, places_of
from batch_nlp.errors import DataError, SettingsError

STARS = default(LabelConfig, column="stars", classes={"negative": [1, 2], "neutral": [3], "positive": [4, 5]})


@pytest.mark.parametrize(
    ("classes", "ordered"),
    [
        ({"negative": [1, 2], "neutral": [3], "positive": [4, 5]}, True),
        ({"good": [5, 4.5], "bad": ["1.0", "2"]}, True),
        ({"bad": [-1, 0], "good": 1}, True),
        # codes: a class each, or out of order
        ({"fees": 1, "cards": 2, "loans": 3}, False),
        ({"fees": [1, 3], "cards": [2]}, False),
        ({"bad": ["1", "poor"], "good": ["5"]}, False),
        ({"bad": [1], "good": [2]}, False),
        ([1, 2, 3, 4, 5], False),
        (["low", "medium", "high"], False),
        ("auto", False),
    ],
)
def test_ratings_have_an_order(classes: Any, ordered: bool) -> None:
    label = default(LabelConfig, column="v", classes=classes)
    assert is_ordered(label) is ordered
    assert not is_ordered(replace(label, ordered=False))
    assert is_ordered(replace(label, ordered=True))


def test_a_hierarchy_has_no_order() -> None:
    label = replace(STARS, column=["stars", "reason"])
    assert not is_ordered(label)
    with refusal(SettingsError, "dataset.label.ordered=true", "dataset.label.ordered=false"):
        check_order(replace(label, ordered=True))


def test_classes_that_overlap_in_the_order_are_refused() -> None:
    with refusal(SettingsError, "dataset.label.ordered=true", "dataset.label.classes"):
        check_order(replace(STARS, classes={"a": [1, 3], "b": [2]}, ordered=True))
    check_order(replace(STARS, classes={"a": [1, 3], "b": [2]}))
    check_order(replace(STARS, ordered=True))


@pytest.mark.parametrize(
    ("classes", "targets", "places"),
    [
        ({"bad": [1, 2], "good": ["3.5"]}, ["3.5", "1", "7"], [3.5, 1, np.nan]),
        (["low", "medium", "high"], ["high", "low", "none"], [2, 0, np.nan]),
        ({"calm": ["low", "medium"], "urgent": "high"}, ["medium", "high"], [1, 2]),
        ("auto", ["10", "9", "-1"], [10, 9, -1]),
    ],
)
def test_a_place_is_the_number_or_the_position(classes: Any, targets: list[str], places: list[float]) -> None:
    label = default(LabelConfig, column="v", classes=classes, ordered=True)
    found = places_of(pd.Series(targets, range(5, 5 + len(targets))), label)
    assert found is not None
    pd.testing.assert_series_equal(found, pd.Series(places, range(5, 5 + len(targets)), float))


def test_words_that_are_not_listed_have_no_order() -> None:
    label = default(LabelConfig, column="v", ordered=True)
    with refusal(DataError, "dataset.label.ordered=true", "good", "dataset.label.classes"):
        places_of(pd.Series(["1", "good"]), label)
    assert places_of(pd.Series(["1", "good"]), replace(label, ordered=None)) is None


def test_classes_are_ranked_by_their_labels_unless_one_has_no_range() -> None:
    targets = pd.Series([str(number) for number in range(1, 11)] * 3)
    found = find_classes(targets, default(LabelConfig, column="v", ordered=True), 3)
    # in alphabetical order, 10 comes second
    assert found.map.classes[:2] == ["1", "10"]
    assert found.ranks is not None
    assert found.ranks[:3].tolist() == [0, 9, 1]
    with_other = replace(STARS, rare={"as": "other"})
    stray = find_classes(pd.Series(["1", "2", "3", "4", "5", "x"] * 5), with_other, 3)
    assert "other" in stray.map.classes
    assert stray.ranks is None
    places = stray.places_at(stray.labels.index[4:6])
    assert places is not None
    np.testing.assert_array_equal(places, [5, np.nan])
    overlapping = class_ranks(pd.Series([1.0, 2.0, 3.0]), pd.Series([0, 1, 0]), 2)
    assert overlapping is None
    assert find_classes(targets, default(LabelConfig, column="v"), 3).ranks is None
