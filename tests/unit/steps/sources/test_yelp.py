"""The steps of the Yelp Open Dataset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from batch_nlp.config import Config
from batch_nlp.fields import Field, FieldRole
from batch_nlp.steps.sources.yelp import BusinessFeatures, UserFeatures, elite_years_before

GROUPS = {
    "nightlife": ["nightlife", "bars"],
    "restaurant": ["restaurants", "food"],
    "beauty": ["barbers"],
    "auto": ["car", "car wash"],
    "home": ["real estate"],
}


def messages(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return messages as extract gives them; of what is not given nothing is known."""
    nothing = {"user_yelping_since": None, "user_elite": None, "business_categories": None}
    sound = {"written_at": "2020-02-29T13:45:00Z", **nothing}
    filled = [{**sound, **row} for row in rows]
    frame = pd.DataFrame({name: pd.Series([row[name] for row in filled], dtype=object) for name in sound})
    return frame.assign(written_at=pd.to_datetime(frame["written_at"], utc=True).dt.as_unit("us"))


def features(**row: Any) -> dict[str, Any]:
    frame = BusinessFeatures(GROUPS).transform(messages(row))
    return UserFeatures().transform(frame).iloc[0].to_dict()


def test_a_message_worked_out_by_hand() -> None:
    found = features(
        user_yelping_since="2018-02-28 13:45:00",
        user_elite="2018,2019,20,20",
        business_categories="Restaurants, Bars, Fast Food",
    )
    assert {name: found[name] for name in ("category_count", "elite_years", "tenure_days", "category_group")} == {
        "category_count": 3.0,
        "elite_years": 2.0,  # the year of the message was not over
        "tenure_days": 731.0,
        "category_group": "nightlife",  # the first group of the settings, not of the business
    }


def test_of_a_message_without_user_and_business_nothing_is_known() -> None:
    found = features()
    assert all(np.isnan(found[name]) for name in ("tenure_days", "elite_years", "category_count"))
    assert found["category_group"] is None


def test_what_grows_with_time_tells_no_drift() -> None:
    assert BusinessFeatures(GROUPS).fields() == (
        Field("category_count", FieldRole.NUMBER),
        Field("category_group", FieldRole.CATEGORY),
    )
    assert UserFeatures().fields() == (
        Field("elite_years", FieldRole.NUMBER, drifts=False),
        Field("tenure_days", FieldRole.NUMBER, drifts=False),
    )


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
    assert features(user_yelping_since=since)["tenure_days"] == expected


def test_a_tenure_below_zero_is_not_known() -> None:
    assert np.isnan(features(user_yelping_since="2020-02-29T13:45:01Z")["tenure_days"])


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
    step = BusinessFeatures({"odd": ["a.c", "(", "c+"]})
    frame = messages({"business_categories": "abc"}, {"business_categories": "x a.c"})
    assert step.transform(frame)["category_group"].tolist() == ["other", "odd"]


def test_the_groups_of_the_settings_cover_the_sample(
    tmp_path: Path, make_config: Callable[..., Config], sample_raw: Path
) -> None:
    (step,) = (step for step in make_config(tmp_path).dataset.steps if "category_groups" in step)
    businesses = pd.read_json(next(sample_raw.glob("*business*")), lines=True)["categories"].dropna()
    frame = messages(*({"business_categories": categories} for categories in businesses))
    found = BusinessFeatures(step["category_groups"]).transform(frame)["category_group"]
    assert (found == "other").mean() < 0.1
    assert found.nunique() >= 5


def test_an_empty_batch_has_the_same_columns() -> None:
    for step in (BusinessFeatures(GROUPS), UserFeatures()):
        full, empty = step.transform(messages({})), step.transform(messages({}).iloc[:0])
        assert empty.columns.tolist() == full.columns.tolist()
        assert empty.empty
