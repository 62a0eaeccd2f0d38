"""Values of raw rows as what their role says: texts, ids, numbers, categories.

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

UNREADABLE = object()
# What pandas makes of whole numbers in a column that lacks some: 12 becomes 12.0
_WHOLE = re.compile(r"-?(?:0|[1-9]\d*)\.0")
# A category becomes a part of a column's name, in which XGBoost refuses these
_IN_NAMES = str.maketrans("[]<", "()(")
# Signs of currencies, and spaces and apostrophes between thousands
_CURRENCY = re.compile(r"[\s$€£¥₹'\u2019]")
# Numbers with commas between thousands; another comma is a decimal one, so it is not read
_OTHER_SIGN = str.maketrans(",.", ".,")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?")


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


def as_number(value: Any, sign: str | None = None) -> float:
    """Return a number, NaN where there is none that can be read; currencies and separators of thousands are dropped.

    Parameters
    ----------
    value : object
    sign : str, optional
        That of its decimals, a comma or, by default, a point.

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
