from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from batch_nlp.contracts import CATEGORICAL_FEATURES, NUMERIC_FEATURES
from batch_nlp.steps.create_features import CreateFeatures, elite_years_before

from batch_nlp.config import Config

GROUPS = {
    "nightlife": ["nightlife", "bars"],
    "restaurant": ["restaurants", "food"],
    "beauty": ["barbers"],
    "auto": ["car", "car wash"],
    "home": ["real estate"],
}


def messages(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return valid messages; of what is not given nothing is known."""
    sound = {
        "text": "",
        "written_at": "2020-02-29T13:45:00Z",
        "user_since": None,
        "user_elite": None,
        "business_categories": None,
    }
    filled = [{"message_id": f"m{number}", "text_hash": "h", **sound, **row} for number, row in enumerate(rows)]
    frame = pd.DataFrame({name: pd.Series([row[name] for row in filled], dtype=object) for name in filled[0]})
    for name in ("written_at", "user_since"):
        frame[name] = pd.to_datetime(frame[name], utc=True).dt.as_unit("us")
    return frame


def features(**row: Any) -> dict[str, Any]:
    return CreateFeatures(GROUPS).transform(messages(row)).iloc[0].to_dict()


def test_a_message_worked_out_by_hand() -> None:
    found = features(
        text="GREAT food!! 10/10 👍🏽 ok?",
        written_at="2020-02-29T13:45:00Z",  # a Saturday
        user_since="2018-02-28T13:45:00Z",
        user_elite="2018,2019,20,20",
        business_categories="Restaurants, Bars, Fast Food",
    )
    assert {name: found[name] for name in (*NUMERIC_FEATURES, *CATEGORICAL_FEATURES)} == {
        "text_length": 25.0,  # 👍🏽 is two code points
        "word_count": 5.0,
        "mean_word_length": 21 / 5,
        "exclamation_count": 2.0,
        "question_count": 1.0,
        "capital_share": 5 / 11,
        "digit_share": 4 / 25,
        "emoji_count": 1.0,
        "year": 2020.0,
        "month": 2.0,
        "weekday": 5.0,
        "hour": 13.0,
        "category_count": 3.0,
        "elite_years": 2.0,  # the year of the message was not over
        "tenure_days": 731.0,
        "category_group": "nightlife",  # the first group of the settings, not of the business
    }


def test_of_a_message_without_text_user_and_business_the_rest_is_known() -> None:
    found = features()
    for name in NUMERIC_FEATURES[: NUMERIC_FEATURES.index("emoji_count") + 1]:
        assert found[name] == 0.0, name
    assert [found[name] for name in ("year", "month", "weekday", "hour")] == [2020, 2, 5, 13]
    assert all(np.isnan(found[name]) for name in ("tenure_days", "elite_years", "category_count"))
    assert found["category_group"] is None


@pytest.mark.parametrize(
    ("elite", "year", "expected"),
    [
        ("2018,2019,20,20,2021", 2022, 4),
        ("20,20", 2021, 1),
        ("20,20", 2020, 0),
        ("20,20,2021", 2022, 2),
        ("2019,20,20", 2020, 1),
        ("2020", 2021, 1),
        ("2015,2015", 2020, 1),
        ("2012", 2010, 0),
        ("", 2020, 0),
        ("None", 2020, 0),
        ("2018, 2019", 2020, 2),
        ("1920,2010", 2020, 2),
    ],
)
def test_elite_years_are_those_before_the_messages(elite: str, year: int, expected: float) -> None:
    assert elite_years_before(elite, year) == expected


@pytest.mark.parametrize(
    ("since", "expected"),
    [("2020-02-29T01:45:00Z", 0.5), ("2020-02-29T13:45:00Z", 0.0), ("2019-02-28T13:45:00Z", 366.0)],
)
def test_tenure_is_counted_in_days_to_the_message(since: str, expected: float) -> None:
    assert features(user_since=since)["tenure_days"] == expected


def test_a_tenure_below_zero_is_not_known() -> None:
    assert np.isnan(features(user_since="2020-02-29T13:45:01Z")["tenure_days"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0), (":-) <3 ©®™", 0), ("👍", 1), ("👍👍 👍", 3), ("👏🏽👏🏿", 2), ("❤️", 1), ("⭐⭐⭐⭐⭐", 5),
        ("😡🤮🥰💯", 4), ("日本語 ünïcödé", 0),
    ],
)  # fmt: skip
def test_emoji_are_counted_without_skin_tones_and_variants(text: str, expected: int) -> None:
    assert features(text=text)["emoji_count"] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ABC", 1.0), ("abc", 0.0), ("Ab1!", 0.5), ("123!", 0.0), ("ÄÖü ЖЗи", 4 / 6), ("最悪", 0.0)],
)
def test_the_share_of_capitals_is_that_of_the_letters_of_any_script(text: str, expected: float) -> None:
    assert features(text=text)["capital_share"] == expected


@pytest.mark.parametrize(
    ("categories", "group", "count"),
    [
        ("Barbers, Hair", "beauty", 2),  # not bars
        ("Carpet Cleaning", "other", 1),  # not car
        ("CAR WASH", "auto", 1),
        ("Real Estate Agents", "home", 1),
        ("Food, Nightlife", "nightlife", 2),
        ("", "other", 0),
        ("Food,, ,Bars ", "nightlife", 2),
        (None, None, np.nan),
    ],
)
def test_a_business_belongs_to_the_first_group_with_a_whole_word_of_its_categories(
    categories: str | None, group: str | None, count: float
) -> None:
    found = features(business_categories=categories)
    assert found["category_group"] == group
    np.testing.assert_equal(found["category_count"], count)


def test_words_of_the_settings_are_no_patterns() -> None:
    step = CreateFeatures({"odd": ["a.c", "(", "c+"]})
    frame = messages({"business_categories": "abc"}, {"business_categories": "x a.c"})
    assert step.transform(frame)["category_group"].tolist() == ["other", "odd"]


def test_the_groups_of_the_settings_cover_the_sample(
    tmp_path: Path, make_config: Callable[..., Config], sample_raw: Path
) -> None:
    groups = make_config(tmp_path).features.category_groups
    businesses = pd.read_json(next(sample_raw.glob("*business*")), lines=True)["categories"].dropna()
    frame = messages(*({"business_categories": categories} for categories in businesses))
    found = CreateFeatures(groups).transform(frame)["category_group"]
    assert (found == "other").mean() < 0.1
    assert found.nunique() >= 5


def test_an_empty_batch_has_the_same_columns() -> None:
    step = CreateFeatures(GROUPS)
    full, empty = step.transform(messages({})), step.transform(messages({}).iloc[:0])
    assert empty.columns.tolist() == full.columns.tolist()
    assert empty.empty
