from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from tests.naming import refusal
from tests.settings import default

from batch_nlp.config import DecisionConfig, LabelConfig
from batch_nlp.dataset.abstain import COVERAGE, abstains_as, check_abstention, coverage_of
from batch_nlp.dataset.classes import find_classes
from batch_nlp.dataset.labels import Labels, check_label
from batch_nlp.errors import DataError, SettingsError

OFF = default(DecisionConfig)
ON = replace(OFF, abstain={})
LABEL = LabelConfig("kind", "auto", None, None, [])
OUTSIDE = replace(LABEL, out_of_scope=["none", 9])


def test_without_a_coverage_out_of_scope_messages_choose_the_threshold() -> None:
    assert abstains_as(OFF) is None
    assert (abstains_as(ON), coverage_of(ON, LABEL), coverage_of(ON, OUTSIDE)) == ("none_of_these", COVERAGE, None)
    chosen = replace(OFF, abstain={"as": "unsure", "coverage": 0.9})
    assert (abstains_as(chosen), coverage_of(chosen, OUTSIDE)) == ("unsure", 0.9)


def test_the_name_must_be_new_and_examples_must_exist() -> None:
    check_abstention(OFF, OUTSIDE, ["none_of_these"], 0)
    check_abstention(ON, OUTSIDE, ["bug"], 1)
    check_abstention(ON, LABEL, ["bug"], 0)
    with refusal(SettingsError, "training.decision.abstain.as", "none_of_these"):
        check_abstention(ON, LABEL, ["bug", "none_of_these"])
    with refusal(DataError, "dataset.label.out_of_scope", "coverage"):
        check_abstention(ON, OUTSIDE, ["bug"], 0)


def test_an_out_of_scope_label_is_no_class() -> None:
    targets = pd.Series(["bug", "praise", "none", "9", "bug", "praise", "odd"])
    found = find_classes(targets, replace(OUTSIDE, rare={"under": 2, "as": "other"}), 1)
    assert found.map.classes == ["bug", "other", "praise"]
    assert found.labels.tolist() == [0, 2, -1, -1, 0, 2, 1]
    assert [found.map.index(target) for target in ("none", "9", "never seen")] == [-1, -1, 1]


def test_a_label_is_listed_as_a_class_or_as_out_of_scope() -> None:
    listed = replace(OUTSIDE, classes=["bug", "praise"])
    check_label(listed)
    assert Labels(listed).allowed == {"bug", "praise", "none", "9"}
    with refusal(SettingsError, "dataset.label.out_of_scope", "none"):
        check_label(replace(OUTSIDE, classes=["bug", "none"]))


@pytest.mark.parametrize("ordered", [True, False])
def test_ordered_labels_may_have_out_of_scope_words(ordered: bool) -> None:
    found = find_classes(pd.Series(["1", "2", "none", "1"]), replace(OUTSIDE, ordered=ordered), 1)
    assert found.labels.tolist() == [0, 1, -1, 0]
    assert (found.places is not None) is ordered
