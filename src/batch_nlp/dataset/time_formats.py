"""Guess the format of times that are not ISO 8601."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from pandas.tseries.api import guess_datetime_format

from batch_nlp.config import ColumnConfig, Role
from batch_nlp.dataset.parse_times import EXCEL, ISO, OR, UNIX, ZONE, as_times

# pandas cannot guess two-digit years and twelve-hour clocks
_DATES = ("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y")
_OF_ORACLE = "%d-%b-%y"
_CLOCKS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%H.%M", "%H.%M.%S")
_CLOCK = re.compile(r"([ ,T]+)\d{1,2}[:.]\d\d.*")
# Formats of Twitter, mail, JavaScript, SAS and web servers
_OF_PROGRAMS: tuple[str, ...] = ("%a %b %d %H:%M:%S %z %Y", "%a, %d %b %Y %H:%M:%S %z", "%a %b %d %Y %H:%M:%S GMT%z")
_OF_PROGRAMS += ("%d%b%Y", "%d%b%Y:%H:%M:%S", "%d/%b/%Y:%H:%M:%S %z")
_SHORT_DAY = re.compile(r"^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b")
_LONG_DAY = re.compile(r"^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
# Values used to guess and to judge a format; plausible years
_GUESSED_FROM, _JUDGED_BY = 5, 200
# Maximum number of formats in one column
_MOST_FORMS = 3
YEARS = range(1990, 2100)


def guess_formats(values: Sequence[Any]) -> list[str]:
    """Return the formats that read the most values (without missing values); empty if no format reads any.

    If day and month are interchangeable, both orders are returned. If a column mixes several formats, they are combined
    with ``|``.

    Examples
    --------
    >>> guess_formats(["31.01.2026 09:15", "01.02.2026 10:00"])
    ['%d.%m.%Y %H:%M']
    >>> guess_formats(["01/02/2022"]), guess_formats(["44593.5"])
    (['%d/%m/%Y', '%m/%d/%Y'], ['excel'])
    """
    # sample all values: the first days of a month do not tell day from month
    judged = pd.Series(list(values[:: -(-len(values) // _JUDGED_BY) or 1]), dtype=object)
    return [OR.join(forms) for forms in _forms(judged, _MOST_FORMS)]


def _forms(values: pd.Series[Any], most: int) -> list[list[str]]:
    read: dict[str, pd.Series[bool]] = {
        form: as_times(values, ColumnConfig(Role.time, format=form)).dt.year.isin(YEARS)
        for form in dict.fromkeys(_candidates(values))
    }
    best = max((found.mean() for found in read.values()), default=0)
    found = [form for form, those in read.items() if those.mean() == best > 0]
    if ISO in found:  # needs no setting
        found = [ISO]
    several: list[list[str]] = []
    for form in found:
        rest = values[~read[form]]
        others = _forms(rest, most - 1) if len(rest) and most > 1 else []
        # combining both orders of day and month would misread some values
        swapped = form.replace("%d", "%?").replace("%m", "%d").replace("%?", "%m")
        several += [[form, *other] for other in others if swapped not in other] or [[form]]
    return list({frozenset(forms): forms for forms in reversed(several)}.values())[::-1]


def _candidates(values: pd.Series[Any]) -> list[str]:
    texts = [str(value).strip() for value in values[:_GUESSED_FROM]]
    numbers = list(map(bool, map(_NUMBER.fullmatch, texts)))
    forms = [ISO, *([EXCEL, UNIX] if any(numbers) else [])]
    if all(numbers):
        return forms
    plain = _written_forms([ZONE.sub("", text) for text in texts])
    between = {found[1] for text in texts if (found := ZONE.search(text))}
    zoned = [f"{form}{space}%Z" for space in between for form in plain if "%z" not in form.lower()]
    return [*forms, *plain, *zoned]


def _written_forms(texts: list[str]) -> list[str]:
    between = {found[1] for text in texts if (found := _CLOCK.search(text))}
    clocks = ["", *(mark + clock for mark in between for clock in _CLOCKS)]
    dates = [*_guessed(_CLOCK.sub("", text) for text in texts), *_DATES, _OF_ORACLE]
    return [*_guessed(texts), *(date + clock for date in dict.fromkeys(dates) for clock in clocks), *_OF_PROGRAMS]


def _guessed(texts: Iterable[str]) -> list[str]:
    guessed: list[str | None] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas warns if the day does not come first
        for text in texts:
            guessed += [guess_datetime_format(text, dayfirst=first) for first in (True, False)]
    # pandas takes the name of a weekday literally
    return [_LONG_DAY.sub("%A", _SHORT_DAY.sub("%a", form)) for form in guessed if form]
