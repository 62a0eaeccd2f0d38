"""Masks: one word for everything that a pattern finds, and patterns that are checked before any work."""

from __future__ import annotations

import pandas as pd
import pytest
from sklearn.base import clone
from tests.naming import refusal

from batch_nlp.errors import SettingsError
from batch_nlp.steps.mask import Mask

PATTERNS = {"<link>": r"https?://\S+", "<user>": r"@\w+"}


def masked(patterns: dict[str, str], *texts: str) -> list[str]:
    messages = pd.DataFrame({"text": pd.Series(texts, dtype=object), "message_id": range(len(texts))})
    return list(clone(Mask(patterns)).fit_transform(messages)["text"])


def test_each_match_becomes_the_word_of_its_pattern():
    assert masked(PATTERNS, "@anna see http://a.b/c?d=1 and https://e.f", "no match", "") == [
        "<user> see <link> and <link>",
        "no match",
        "",
    ]


def test_patterns_apply_in_their_order():
    assert masked({"b": "a", "c": "b"}, "a") == ["c"]
    assert masked({"c": "b", "b": "a"}, "a") == ["b"]


def test_a_word_is_taken_as_it_is():
    assert masked({r"\1": r"(\d)"}, "5") == [r"\1"]


def test_the_other_columns_and_the_index_stay():
    messages = pd.DataFrame({"text": ["@a", "b"], "stars": [1, 2]}, index=[7, 3])
    found = Mask(PATTERNS).transform(messages)
    assert list(found.index) == [7, 3]
    assert list(found["stars"]) == [1, 2]
    assert found["text"].dtype == object
    assert list(messages["text"]) == ["@a", "b"]


def test_no_message_is_no_error():
    assert masked(PATTERNS) == []


@pytest.mark.parametrize("pattern", ["(", "(?=x)", r"(a)\1"])
def test_a_pattern_that_re2_does_not_know_is_named(pattern):
    with refusal(SettingsError, f"Mask.patterns[<x>]={pattern}", "RE2"):
        Mask({"<x>": pattern})
