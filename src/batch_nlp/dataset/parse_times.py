"""Parse the times of raw rows."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from batch_nlp.config import ColumnConfig, Role

# Formats beyond strptime: ISO 8601 (if combined with others), Excel's days since 1899, Unix time
ISO, EXCEL, UNIX = "iso", "excel", "unix"
# Separator of alternative formats; the first that reads a value counts
OR = "|"
_EXCEL_DAY_0 = pd.Timestamp("1899-12-30", tz="UTC")
# Smaller numbers are seconds (up to the year 5138); likewise for milliseconds, microseconds and nanoseconds
_LEAST_MILLISECONDS = 1e11
# An offset follows a time of day, so the end of 2020-01-05 is not an offset
_OFFSET = re.compile(r"\d[T ]\d{1,2}(?::?\d\d){0,2}(?:[.,]\d+)? ?(?:[Zz]|[+-]\d\d(?::?\d\d)?)$")
# Hours of European and North American zone names; other names are ambiguous
_HOURS = {"UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3}
_HOURS |= {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
ZONE = re.compile(rf"(?<=[\dMm])( ?)({'|'.join(_HOURS)})$")
# The zone's name after the offset, as mail and JavaScript write it
_COMMENT = re.compile(r"([+-]\d\d:?\d\d|%z) \([^()]*\)$")
# A decimal number is not a date, unless pandas wrote a whole number as a float
_NUMBER = re.compile(r"(\d+)\.(\d+)")


def as_times(values: pd.Series[Any], column: ColumnConfig) -> pd.Series[Any]:
    """Return times in UTC with microseconds, NaT for unreadable ones.

    Parameters
    ----------
    values : Series, shape (n,)
        Texts, dates and times. A bare number is read by its digits, and as seconds since an epoch only if the
        format says so.
    column : ColumnConfig
        ``format``: as in strptime, ``iso`` or None for ISO 8601, ``excel`` or ``unix`` for numbers, or several
        separated by ``|``; ``zone``: of times without a zone of their own (``unix`` is always UTC).
    """
    first, *others = (column.format or ISO).split(OR)
    found = _read(values, first, column.zone)
    for form in others:
        found = found.where(found.notna(), _read(values.mask(found.notna(), None), form, column.zone))
    return found


def is_time(value: Any, column: ColumnConfig) -> bool:
    """Say whether `as_times` reads a value."""
    return not isinstance(value, list | dict) and _is_time(value, column.format, column.zone)


@lru_cache(maxsize=1, typed=True)  # two checks in a row read the time of a file with one row
def _is_time(value: Any, form: str | None, zone: str) -> bool:
    column = ColumnConfig(Role.time, format=form, zone=zone)
    return bool(as_times(pd.Series([value], dtype=object), column).notna().all())


def _read(values: pd.Series[Any], form: str, zone: str) -> pd.Series[Any]:
    form = _COMMENT.sub(r"\1", form)
    texts = pd.Series([_written(value, form) for value in values], values.index, object)
    if form in (EXCEL, UNIX):
        found = _from_numbers(texts, form)
        return found if zone == "UTC" or form == UNIX else _localised(found, zone)
    parsed = pd.to_datetime(texts, format="ISO8601" if form == ISO else form, utc=True, errors="coerce")
    found = parsed.dt.as_unit("us")
    if zone == "UTC":
        return found
    aware = pd.Series([_names_zone(value, form) for value in texts], texts.index, bool)
    return found.where(aware, _localised(found.mask(aware), zone)).dt.as_unit("us")


def _localised(times: pd.Series[Any], zone: str) -> pd.Series[Any]:
    """Convert local times of a zone to UTC."""
    naive = times.dt.tz_localize(None)
    # an ambiguous hour counts as the second one
    local = naive.dt.tz_localize(zone, ambiguous=np.zeros(len(naive), bool), nonexistent="shift_forward")
    found: pd.Series[Any] = local.dt.tz_convert("UTC").dt.as_unit("us")
    return found


def _from_numbers(texts: pd.Series[Any], form: str) -> pd.Series[Any]:
    # Excel may write a decimal comma
    plain = [text.replace(",", ".") if isinstance(text, str) else None for text in texts]
    numbers = pd.Series(pd.to_numeric(pd.Series(plain, texts.index, object), errors="coerce"), dtype="float64")
    # Excel shows five decimals of a day: off by half a second at most
    seconds = numbers if form == UNIX else (numbers * 86400).round()
    for _ in ("milliseconds", "microseconds", "nanoseconds") if form == UNIX else ():
        seconds = seconds.mask(seconds >= _LEAST_MILLISECONDS, seconds / 1000)
    seconds = seconds.where(seconds.abs() < _LEAST_MILLISECONDS)
    # float digits beyond milliseconds are rounding errors
    microseconds = (seconds * 1000).round() * 1000
    since = pd.Timestamp(0, tz="UTC") if form == UNIX else _EXCEL_DAY_0
    # never in nanoseconds, which end in 2262
    passed = microseconds.fillna(0).astype("int64").astype("timedelta64[us]")
    times: pd.Series[Any] = (since.as_unit("us") + passed).where(seconds.notna())
    return times


def _written(value: Any, form: str) -> Any:
    if isinstance(value, list | dict):  # pandas cannot hash them when it looks for repeated values
        return None
    if not isinstance(value, str | int | float) or value != value:
        return value
    text = str(value).strip()
    if text in ("now", "today"):  # pandas would read the clock
        return None
    if form == ISO and "." in text and (number := _NUMBER.fullmatch(text)):
        return number[1] if not number[2].strip("0") else None
    last = text[-1:]
    if last == ")":
        text = _COMMENT.sub(r"\1", text)
    if not last.isalpha():
        return text
    if form == ISO:
        return ZONE.sub(lambda zone: f"{_HOURS[zone[2]]:+03}:00", text)
    return ZONE.sub(lambda zone: f"{zone[1]}Etc/GMT{-_HOURS[zone[2]]:+}", text) if "%Z" in form else text


def _names_zone(value: Any, form: str) -> bool:
    if isinstance(value, str):
        return bool(_OFFSET.search(value) if form == ISO else re.search("%[zZ]", form))
    return getattr(value, "tzinfo", None) is not None
