from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from batch_nlp.config import ColumnConfig, Role
from batch_nlp.dataset.values import UNREADABLE, as_category, as_key, as_number, as_text, as_times

TWO_HOURS_EAST = dt.timezone(dt.timedelta(hours=2))


def times(*values: Any, form: str | None = None, zone: str = "Europe/Rome") -> list[Any]:
    """Return the times in UTC as text, None where one cannot be read."""
    found = as_times(pd.Series(list(values), dtype=object), ColumnConfig(Role.time, format=form, zone=zone))
    assert str(found.dtype) == "datetime64[us, UTC]"
    return [None if time is pd.NaT else time.strftime("%Y-%m-%d %H:%M") for time in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Rome is an hour ahead in winter
        ("2020-01-01 10:00", "2020-01-01 09:00"),
        (" 2020-01-01 10:00\n", "2020-01-01 09:00"),
        ("2020-01-01 10:00-05", "2020-01-01 15:00"),
        ("2020-01-01 10:00:00.25+00", "2020-01-01 10:00"),
        ("2020-01-01T10-05", "2020-01-01 15:00"),
        ("2020-01-01 10:00 -0530", "2020-01-01 15:30"),
        ("2020-01-01T10:00Z", "2020-01-01 10:00"),
        ("20200101T1000-05:00", "2020-01-01 15:00"),
        # the end of a date is no offset
        ("2020-01-05", "2020-01-04 23:00"),
        ("20200105", "2020-01-04 23:00"),
        ("2020-01", "2019-12-31 23:00"),
        (20200105, "2020-01-04 23:00"),
        # neither is when the messages are read
        ("now", None),
        ("today", None),
        (10**400, None),
    ],
)
def test_a_time_that_names_no_zone_is_one_of_its_column(text: Any, expected: str | None) -> None:
    assert times(text, None) == [expected, None]


def test_a_format_may_name_a_zone() -> None:
    form = "%d.%m.%Y %H:%M %Z"
    assert times("13.01.2020 10:00 UTC", "13.01.2020 10:00 EST", "13.01.2020 10:00", form=form) == [
        "2020-01-13 10:00",
        "2020-01-13 15:00",
        None,
    ]


@pytest.mark.parametrize(("zone", "naive", "midnight"), [("Europe/Rome", "08:00", "22:00"), ("UTC", "10:00", "00:00")])
@pytest.mark.parametrize("form", [None, "%d.%m.%Y", "%d.%m.%Y %z"])
def test_dates_and_times_of_parquet_files_need_no_format(
    form: str | None, zone: str, naive: str, midnight: str
) -> None:
    plain = dt.datetime(2020, 7, 2, 10)  # noqa: DTZ001 parquet files have such
    found = times(plain, plain.replace(tzinfo=TWO_HOURS_EAST), dt.date(2020, 7, 2), pd.NaT, "x", form=form, zone=zone)
    day = "2020-07-02" if zone == "UTC" else "2020-07-01"
    assert found == [f"2020-07-02 {naive}", "2020-07-02 08:00", f"{day} {midnight}", None, None]


@pytest.mark.parametrize(
    ("value", "expected"), [(10**400, math.nan), (-(10**400), math.nan), ("1e400", math.nan), (10**300, 1e300)]
)
def test_a_number_that_is_too_large_for_a_float_is_none(value: Any, expected: float) -> None:
    assert as_number(value) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["a", None, " b ", "", 3.0, math.nan, True], "a|b|3|true"),
        ([2.5, "7.0", 7], "2.5|7|7"),
        ([None, ""], None),
        ([], None),
        (["a", ["b"]], UNREADABLE),
        (["a", {}], UNREADABLE),
    ],
)
def test_a_list_of_categories_is_those_that_are_there(value: list[Any], expected: Any) -> None:
    assert as_category(value) == expected


@pytest.mark.parametrize("value", ["0,125", "-0,125", "1250,125", "12,1250", ",125", "1,25,000", "1_000"])
def test_a_comma_that_cannot_separate_thousands_is_not_read(value: str) -> None:
    assert math.isnan(as_number(value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [(Decimal("7.00"), "7"), (Decimal("1E+2"), "100"), (Decimal("7.50"), "7.50"), (math.inf, "inf"), (1e3, "1000")],
)
def test_a_whole_number_is_an_id_without_decimals(value: Any, expected: str) -> None:
    assert as_key(value) == expected


def test_a_list_of_texts_is_those_that_are_there() -> None:
    assert as_text(["two", None, "", 3]) == "two 3"
    assert as_text([None]) is None
    assert as_text(["a", ["b"]]) is UNREADABLE
