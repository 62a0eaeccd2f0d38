"""Guess whether the values of a column are times, and in which format."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from batch_nlp.config import ColumnConfig, Role
from batch_nlp.dataset.parse_times import as_times
from batch_nlp.dataset.time_formats import YEARS, guess_formats

# A bare number is a time only if the column's name says so, or it cannot be anything else
_ISO = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|(?:19|20)\d\d[01]\d[0-3]\d(?!\d)")
_LIKE_A_DATE = re.compile(r"\d.*[-/. ,:].*\d|[A-Za-z]{3}.*\d{4}")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
# Maximum length; JavaScript appends the zone's name
_LONGEST = 80
# Rounding of Excel's decimals in minutes; number of distinct times of day that rules out other numbers
_ROUNDED, _CLOCK_TIMES = 0.05, 20
# Excel's days of 1990 to 2099 with five decimals (for seconds), and their share: trailing zeros are omitted
_EXCEL, _WITH_SECONDS = re.compile(r"(?:3[3-9]|[4-6]\d|7[0-2])\d{3}[.,]\d{5}"), 0.8
# Values used to guess; share of values that a format must read; number of values whose order decides between two
_TRIED, _MOST, _IN_ORDER = 200, 0.98, 5


@dataclass(frozen=True)
class TimeFormat:
    """The format of the times in a column."""

    # As in the dataset's file, None for ISO 8601
    format: str | None
    # An equally good format with day and month swapped, if there is one
    other: str | None = None


def guess_time_format(values: Sequence[Any], named: bool = False) -> TimeFormat | None:
    """Return the format that reads nearly all values, which are in row order; None if they are not times.

    Unless the column is `named` as a time, numbers are times only if nothing else is plausible.
    """
    texts = list(dict.fromkeys(str(value).strip() for value in values))
    some = texts[:: max(1, len(texts) // _TRIED)][:_TRIED]
    numbers = any(map(_NUMBER.fullmatch, some))
    like = [text for text in some if len(text) <= _LONGEST and (numbers or _LIKE_A_DATE.search(text))]
    if not like or len(like) < _MOST * len(some) or (numbers and not named and not _are_times(like)):
        return None
    read: dict[str | None, pd.Series[Any]] = {None: as_times(pd.Series(texts, dtype=object), ColumnConfig(Role.time))}
    # values that begin like ISO 8601 may end differently, for example with a zone's name
    if not all(map(_ISO.match, like)) or _share(read[None]) < _MOST:
        columns = {form: ColumnConfig(Role.time, format=form) for form in guess_formats(like)}
        read = {form: as_times(pd.Series(texts, dtype=object), column) for form, column in columns.items()}
    shares = {form: _share(times) for form, times in read.items()}
    best = [form for form, share in shares.items() if share == max(shares.values()) >= _MOST]
    if len(best) > 1 and len(texts) >= _IN_ORDER:
        best = [form for form in best if _in_order(read[form])] or best
    if not best:
        return None
    if "%p" in str(best[0]):  # with a twelve-hour clock, months come first
        best.sort(key=lambda form: str(form).find("%m"))
    return TimeFormat(best[0], best[1] if len(best) > 1 else None)


def _share(times: pd.Series[Any]) -> float:
    return float(times.dt.year.isin(YEARS).mean())


def _are_times(texts: Sequence[str]) -> bool:
    """Say whether numbers are plausible only as times: recent Unix times, or Excel days with whole minutes."""
    if all(re.fullmatch(r"1\d{9}|1\d{12}", text) for text in texts):
        return len(texts) >= _IN_ORDER
    if sum(map(bool, map(_EXCEL.fullmatch, texts))) >= _WITH_SECONDS * len(texts):
        return len(texts) >= _CLOCK_TIMES
    minutes = pd.to_numeric(pd.Series(texts).str.replace(",", "."), errors="coerce") * 1440
    on_the_minute = (minutes - minutes.round()).abs() < _ROUNDED
    return bool(on_the_minute.all()) and (minutes.round() % 1440).nunique() >= _CLOCK_TIMES


def _in_order(times: pd.Series[Any]) -> bool:
    known = times.dropna()
    return known.is_monotonic_increasing or known.is_monotonic_decreasing
