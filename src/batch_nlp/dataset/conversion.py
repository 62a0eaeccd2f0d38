"""Convert raw values by role: to texts, ids, numbers, categories.

A value that cannot be converted becomes `UNREADABLE`.
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

UNREADABLE = object()
# In a column with gaps, pandas turns 12 into 12.0
_WHOLE = re.compile(r"-?(?:0|[1-9]\d*)\.0")
# A category becomes part of a column name, where XGBoost refuses these characters
_IN_NAMES = str.maketrans("[]<", "()(")
# Currency signs, and spaces and apostrophes as thousands separators
_CURRENCY = re.compile(r"[\s$€£¥₹'\u2019]")
# A number with thousands separators; any other comma is a decimal comma, and is not read
_OTHER_SIGN = str.maketrans(",.", ".,")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?")


def is_missing(value: Any) -> bool:
    """Say whether a raw value is missing."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _joined(values: list[Any], read: Callable[[Any], Any], by: str) -> Any:
    parts: list[Any] = [UNREADABLE if isinstance(value, list) else read(value) for value in values]
    return UNREADABLE if UNREADABLE in parts else by.join(filter(None, parts)) or None


def as_text(value: Any) -> Any:
    """Return text and numbers as text, a list joined by spaces, a missing value as None."""
    if isinstance(value, str):
        return value
    if is_missing(value):
        return None
    if isinstance(value, list):
        return _joined(value, as_text, " ")
    return str(value) if _is_number(value) else UNREADABLE


def as_key(value: Any) -> Any:
    """Return an id as text, whole numbers without decimals, a missing value as None.

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
    """Return a category as stripped text, a list joined by ``|``.

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
    """Return a value as text for a step that parses it; a list joined by commas."""
    try:
        return ",".join(map(str, value)) if isinstance(value, list) else None if is_missing(value) else str(value)
    except RecursionError:  # nested too deeply for any step
        return None


def as_written(value: Any) -> str | None:
    """Return a value as text for people: text unchanged, lists, objects and booleans as JSON, missing as None.

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
    except RecursionError:  # nested too deeply for anyone
        return None


def as_number(value: Any, sign: str | None = None) -> float:
    """Return a number, NaN if unreadable; currency signs and thousands separators are dropped.

    The decimal `sign` is a comma or (default) a point.

    Examples
    --------
    >>> [as_number(value) for value in (3, "$1,299.50", True, "a few", "1,5", "0,125")]
    [3.0, 1299.5, 1.0, nan, nan, nan]
    >>> [as_number(value, ",") for value in ("1.299,50 €", "0,125", "1.5")]
    [1299.5, 0.125, nan]
    """
    if isinstance(value, str):
        value = _CURRENCY.sub("", value)
        if sign == ",":
            value = value.translate(_OTHER_SIGN)
        if "," in value and _THOUSANDS.fullmatch(value):
            value = value.replace(",", "")
        elif "_" in value:  # a number in Python, but an id in data
            return float("nan")
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")
    return found if np.isfinite(found) else float("nan")


def readable(values: pd.Series[Any], read: Callable[[Any], Any]) -> tuple[pd.Series[Any], pd.Series[bool]]:
    """Return each value converted by `read`, and which values were unreadable (None in the result)."""
    found = [read(value) for value in values]
    if UNREADABLE not in found:  # a fast search: nearly every column is fully readable
        return pd.Series(found, values.index, object), pd.Series(False, values.index)
    wrong = pd.Series([value is UNREADABLE for value in found], values.index)
    return pd.Series(found, values.index, object).mask(wrong, None), wrong


def normal_text(text: str) -> str:
    r"""Return a text in the form used for comparison: NFC, uniform line ends, no trailing spaces.

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
