"""Values of raw rows as what their role says: texts, ids, times, numbers, categories.

Each function takes a column of raw values and returns a column of typed ones; `UNREADABLE` stands where a value cannot
be one.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from batch_nlp.config import ColumnConfig

UNREADABLE = object()
# What pandas makes of whole numbers in a column that lacks some: 12 becomes 12.0
_WHOLE = re.compile(r"-?(?:0|[1-9]\d*)\.0")
# A category becomes a part of a column's name, in which XGBoost refuses these
_IN_NAMES = str.maketrans("[]<", "()(")
# An offset follows a time of day: the end of 2020-01-05 is none
_ZONE = re.compile(r"\d[T ]\d{1,2}(?::?\d\d){0,2}(?:[.,]\d+)? ?(?:[Zz]|[+-]\d\d(?::?\d\d)?)$")
# Signs of currencies, and numbers with commas between thousands; another comma is a decimal one, so it is not read
_CURRENCY = re.compile(r"[\s$€£¥₹]")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?")

# Formats of times that are numbers: days since the end of 1899, and seconds or milliseconds since 1970
EXCEL, UNIX = "excel", "unix"
# What pandas calls ISO 8601, and what stands between the formats of a source that writes times in several ways
ISO, OR = "ISO8601", " or "
_EXCEL_DAY_0 = pd.Timestamp("1899-12-30", tz="UTC")
# As seconds it is in the year 5138, as milliseconds in 1973
_LEAST_MILLISECONDS = 1e11


def is_missing(value: Any) -> bool:
    """Say whether a raw value is none."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _joined(values: list[Any], read: Callable[[Any], Any], by: str) -> Any:
    parts: list[Any] = [UNREADABLE if isinstance(value, list) else read(value) for value in values]
    return UNREADABLE if UNREADABLE in parts else by.join(filter(None, parts)) or None


def as_text(value: Any) -> Any:
    """Return text and numbers as text, a list as its texts joined by spaces, nothing as None."""
    if isinstance(value, str):
        return value
    if is_missing(value):
        return None
    if isinstance(value, list):
        return _joined(value, as_text, " ")
    return str(value) if _is_number(value) else UNREADABLE


def as_key(value: Any) -> Any:
    """Return an id as text, a whole number without the decimals that pandas gives it; nothing as None.

    Examples
    --------
    >>> [as_key(value) for value in (7, 7.0, "7.0", "007", " a ", None)]
    ['7', '7', '7', '007', ' a ', None]
    """
    if isinstance(value, str):
        return value[:-2] if value.endswith(".0") and _WHOLE.fullmatch(value) else value
    if is_missing(value):
        return None
    if isinstance(value, float | Decimal) and value % 1 == 0:
        return str(int(value))
    return str(value) if _is_number(value) else UNREADABLE


def as_category(value: Any) -> Any:
    """Return a category as text without white space around it, a list as its categories joined by ``|``.

    Examples
    --------
    >>> [as_category(value) for value in (" Delta ", True, ["a", None, 3.0], 3.0, "<b>")]
    ['Delta', 'true', 'a|3', '3', '(b>']
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return _joined(value, as_category, "|")
    found = as_key(value)
    return (found.strip().translate(_IN_NAMES) or None) if isinstance(found, str) else found


def as_raw(value: Any) -> Any:
    """Return a value for a step to make something of: as text, a list as its entries joined by commas."""
    try:
        return ",".join(map(str, value)) if isinstance(value, list) else None if is_missing(value) else str(value)
    except RecursionError:  # nested too deep for any step to read
        return None


def as_written(value: Any) -> str | None:
    """Return a value as text for people: text as it is, nothing as None, a list, object or truth value as JSON.

    Examples
    --------
    >>> [as_written(value) for value in (" a ", 3, True, ["a", 1], None)]
    [' a ', '3', 'true', '["a", 1]', None]
    """
    if isinstance(value, str) or is_missing(value):
        return value if isinstance(value, str) else None
    try:
        structured = isinstance(value, list | dict | bool)
        return json.dumps(value, ensure_ascii=False, default=str) if structured else str(value)
    except RecursionError:  # nested too deep for anyone to read
        return None


def as_number(value: Any) -> float:
    """Return a number, NaN where there is none that can be read; currencies and separators of thousands are dropped.

    Examples
    --------
    >>> [as_number(value) for value in (3, "$1,299.50", True, "a few", "1,5", "0,125")]
    [3.0, 1299.5, 1.0, nan, nan, nan]
    """
    if isinstance(value, str):
        value = _CURRENCY.sub("", value)
        if "," in value and _THOUSANDS.fullmatch(value):
            value = value.replace(",", "")
        elif "_" in value:  # Python reads it, and nobody writes numbers so: it is an id
            return float("nan")
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")
    return found if np.isfinite(found) else float("nan")


def readable(values: pd.Series[Any], read: Callable[[Any], Any]) -> tuple[pd.Series[Any], pd.Series[bool]]:
    """Return what `read` makes of each value, None where it makes nothing, and which could not be read."""
    found = [read(value) for value in values]
    if UNREADABLE not in found:  # a search in C: nearly every column is readable as a whole
        return pd.Series(found, values.index, object), pd.Series(False, values.index)
    wrong = pd.Series([value is UNREADABLE for value in found], values.index)
    return pd.Series(found, values.index, object).mask(wrong, None), wrong


def as_times(values: pd.Series[Any], column: ColumnConfig) -> pd.Series[Any]:
    """Return times in UTC, microseconds, NaT where one cannot be read.

    Parameters
    ----------
    values : Series, shape (n,)
        Texts, dates and times. Without a format that says so, a bare number is read like its digits, never as seconds
        since some epoch.
    column : ColumnConfig
        ``format`` of texts as in strptime, None or ``ISO8601`` for ISO 8601, ``excel`` and ``unix`` for numbers; of
        several with ``or`` between them, the first that reads a value counts. ``zone`` of times that name none, which
        those of ``unix`` do.
    """
    texts = pd.Series([_written(value) for value in values], values.index, object)
    first, *others = (column.format or ISO).split(OR)
    found = _read_times(texts, first, column.zone)
    for form in others:
        unread = found.isna()
        found = found.where(~unread, _read_times(texts.where(unread, None), form, column.zone))
    return found


def _read_times(texts: pd.Series[Any], form: str, zone: str) -> pd.Series[Any]:
    if form in (EXCEL, UNIX):
        found = _from_numbers(texts, form)
        return found if zone == "UTC" or form == UNIX else _localised(found, zone)
    found = pd.to_datetime(texts, format=form, utc=True, errors="coerce").dt.as_unit("us")
    if zone == "UTC":
        return found
    aware = pd.Series([_names_zone(value, form) for value in texts], texts.index, bool)
    return found.where(aware, _localised(found.mask(aware), zone)).dt.as_unit("us")


def _localised(times: pd.Series[Any], zone: str) -> pd.Series[Any]:
    """Return the times in UTC that clocks of a zone show as these."""
    naive = times.dt.tz_localize(None)
    # an hour that a zone has twice is taken for the second
    local = naive.dt.tz_localize(zone, ambiguous=np.zeros(len(naive), bool), nonexistent="shift_forward")
    found: pd.Series[Any] = local.dt.tz_convert("UTC").dt.as_unit("us")
    return found


def _from_numbers(texts: pd.Series[Any], form: str) -> pd.Series[Any]:
    # where Excel writes a decimal comma, it writes one here too
    plain = [text.replace(",", ".") if isinstance(text, str) else None for text in texts]
    numbers = pd.Series(pd.to_numeric(pd.Series(plain, texts.index, object), errors="coerce"), dtype="float64")
    # Excel shows five decimals of a day, which are half a second off at most
    seconds = (
        numbers.mask(numbers >= _LEAST_MILLISECONDS, numbers / 1000) if form == UNIX else (numbers * 86400).round()
    )
    seconds = seconds.where(seconds.abs() < _LEAST_MILLISECONDS)
    # what a float says beyond milliseconds is rounding
    microseconds = (seconds * 1000).round() * 1000
    since = pd.Timestamp(0, tz="UTC") if form == UNIX else _EXCEL_DAY_0
    times: pd.Series[Any] = (since + pd.Series(pd.to_timedelta(microseconds, unit="us"))).dt.as_unit("us")
    return times


def _written(value: Any) -> Any:
    if isinstance(value, list | dict):  # which pandas cannot hash where it looks for values that come again
        return None
    if not isinstance(value, str | int | float) or value != value:
        return value
    text = str(value).strip()
    return None if text in ("now", "today") else text  # pandas reads them from the clock


def _names_zone(value: Any, form: str) -> bool:
    if isinstance(value, str):
        return bool(_ZONE.search(value) if form == ISO else re.search("%[zZ]", form))
    return getattr(value, "tzinfo", None) is not None


def normal_text(text: str) -> str:
    r"""Return a text as it is compared: NFC, one kind of line end, no space at the end of a line.

    Examples
    --------
    >>> normal_text("First \r\nsecond\n") == normal_text("First\nsecond")
    True
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return ("\n".join(map(str.rstrip, text.split("\n"))) if "\n" in text else text).rstrip()
