from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pytest

from batch_nlp.config import ColumnConfig, Role
from batch_nlp.dataset.parse_times import as_times

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
        # a number is no date, but for a whole one that pandas made a float of
        ("2022.5", None),
        (2022.5, None),
        ("20200105.0", "2020-01-04 23:00"),
        ("2020.01.05", "2020-01-04 23:00"),
        # names of zones
        ("2020-07-01 10:00:00 UTC", "2020-07-01 10:00"),
        ("2020-07-01T10:00:00.25 CEST", "2020-07-01 08:00"),
        ("2020-07-01 10:00 PDT", "2020-07-01 17:00"),
        # India, Israel or Ireland
        ("2020-07-01 10:00 IST", None),
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
    ("text", "form", "expected"),
    [
        ("13.07.2020 10:00 CEST", "%d.%m.%Y %H:%M %Z", "2020-07-13 08:00"),
        ("7/13/2020 1:00 PM PDT", "%m/%d/%Y %I:%M %p %Z", "2020-07-13 20:00"),
        ("Mon Nov 30 2026 12:04:11 GMT+0100 (CET)", "%a %b %d %Y %H:%M:%S GMT%z", "2026-11-30 11:04"),
        ("Mon, 05 Jan 2026 10:00:00 +0000 (UTC)", "%a, %d %b %Y %H:%M:%S %z", "2026-01-05 10:00"),
        ("Mon, 05 Jan 2026 10:00:00 +0000 (UTC)", "%a, %d %b %Y %H:%M:%S %z (UTC)", "2026-01-05 10:00"),
        ("1643716800", "unix", "2022-02-01 12:00"),
        ("9999999999", "unix", "2286-11-20 17:46"),  # beyond the last nanosecond
        (1643716800000, "unix", "2022-02-01 12:00"),
        ("1643716800000000", "unix", "2022-02-01 12:00"),
        (1643716800000000000, "unix", "2022-02-01 12:00"),
    ],
)
def test_zones_by_name_and_times_since_1970_in_any_unit(text: Any, form: str, expected: str) -> None:
    assert times(text, form=form) == [expected]


def test_of_several_forms_the_first_that_reads_a_value_counts() -> None:
    values = ("2020-01-05 10:00", "05.01.2020", "44593.5", "05/01/2020", None)
    assert times(*values, form="iso|%d.%m.%Y|excel", zone="UTC") == [
        "2020-01-05 10:00",
        "2020-01-05 00:00",
        "2022-02-01 12:00",
        None,
        None,
    ]
