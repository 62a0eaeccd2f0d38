from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from batch_nlp.fields import FieldRole
from batch_nlp.steps.text_counts import TextCounts


def messages(*texts: str) -> pd.DataFrame:
    return pd.DataFrame({"text": pd.Series(texts, dtype=object)})


def features(text: str) -> dict[str, Any]:
    return TextCounts().transform(messages(text)).iloc[0].to_dict()


def test_a_message_worked_out_by_hand() -> None:
    assert features("GREAT food!! 10/10 👍🏽 ok?") == {
        "text": "GREAT food!! 10/10 👍🏽 ok?",
        "text_length": 25.0,  # 👍🏽 is two code points
        "word_count": 5.0,
        "mean_word_length": 21 / 5,
        "exclamation_count": 2.0,
        "question_count": 1.0,
        "capital_share": 5 / 11,
        "digit_share": 4 / 25,
        "emoji_count": 1.0,
    }


def test_every_count_of_an_empty_text_is_zero() -> None:
    found = features("")
    assert found.pop("text") == ""
    assert set(found.values()) == {0.0}


def test_the_fields_are_the_numbers_that_it_adds() -> None:
    fields = TextCounts().fields()
    assert [field.name for field in fields] == [name for name in features("a") if name != "text"]
    assert all(field.role is FieldRole.NUMBER and field.drifts for field in fields)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0), (":-) <3 ©®™", 0), ("👍", 1), ("👍👍 👍", 3), ("👏🏽👏🏿", 2), ("❤️", 1), ("⭐⭐⭐⭐⭐", 5),
        ("😡🤮🥰💯", 4), ("日本語 ünïcödé", 0),
    ],
)  # fmt: skip
def test_emoji_are_counted_without_skin_tones_and_variants(text: str, expected: int) -> None:
    assert features(text)["emoji_count"] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ABC", 1.0), ("abc", 0.0), ("Ab1!", 0.5), ("123!", 0.0), ("ÄÖü ЖЗи", 4 / 6), ("最悪", 0.0)],
)
def test_the_share_of_capitals_is_that_of_the_letters_of_any_script(text: str, expected: float) -> None:
    assert features(text)["capital_share"] == expected


def test_an_empty_batch_has_the_same_columns() -> None:
    full, empty = TextCounts().transform(messages("a")), TextCounts().transform(messages("a").iloc[:0])
    assert empty.columns.tolist() == full.columns.tolist()
    assert empty.empty
