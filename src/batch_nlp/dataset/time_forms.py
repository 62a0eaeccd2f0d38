"""How times are written that ISO 8601 does not describe: the setting that would read them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from pandas.tseries.api import guess_datetime_format

from batch_nlp.config import ColumnConfig, Role
from batch_nlp.dataset.values import EXCEL, ISO, OR, UNIX, as_times

# pandas guesses none of these: a year of two digits, and a clock of twelve hours
_DATES = ("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y")
_OF_ORACLE = "%d-%b-%y"
_CLOCKS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%H.%M", "%H.%M.%S")
_CLOCK = re.compile(r"([ ,T]+)\d{1,2}[:.]\d\d.*")
# As Twitter and mail write them
_WITH_ZONE = ("%a %b %d %H:%M:%S %z %Y", "%a, %d %b %Y %H:%M:%S %z")
_SHORT_DAY = re.compile(r"^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b")
_LONG_DAY = re.compile(r"^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
# Values that a form is guessed from and judged by, and the years that count as read
_GUESSED_FROM, _JUDGED_BY = 5, 200
YEARS = range(1990, 2100)


def time_forms(values: Sequence[Any]) -> list[str]:
    """Return each ``format`` of a time column that reads as many of some values as any does; empty if none reads any.

    Of days and months that may be either way round, both are returned. Where a source writes times in several ways, a
    form has them all, with ``or`` between them.

    Parameters
    ----------
    values : sequence
        As the source has them; missing ones left out.

    Examples
    --------
    >>> time_forms(["31.01.2026 09:15", "01.02.2026 10:00"]), time_forms(["01/02/2022"]), time_forms(["44593.5"])
    (['%d.%m.%Y %H:%M'], ['%d/%m/%Y', '%m/%d/%Y'], ['excel'])
    """
    # from all over: the first days of a month tell no order of day and month
    judged = pd.Series(list(values[:: -(-len(values) // _JUDGED_BY) or 1]), dtype=object)
    read = {form: _reads(judged, form) for form in dict.fromkeys(_candidates(judged))}
    best = max((mask.mean() for mask in read.values()), default=0)
    forms = [form for form, mask in read.items() if mask.mean() == best > 0]
    return [whole for form in forms for whole in _with_others(form, judged[~read[form]])]


def _with_others(form: str, unread: pd.Series[Any]) -> list[str]:
    """Return a form with those of the values that it does not read, unless days and months change places between them.

    Of these, some values would be read the wrong way round.
    """
    iso = _reads(unread, ISO)
    others = _with_others(ISO, unread[~iso]) if iso.any() else [] if unread.empty else time_forms(unread.to_list())
    swapped = form.replace("%d", "%?").replace("%m", "%d").replace("%?", "%m")
    return [f"{form}{OR}{other}" for other in others if swapped not in other.split(OR)] or [form]


def _candidates(values: pd.Series[Any]) -> list[str]:
    texts = [str(value).strip() for value in values[:_GUESSED_FROM]]
    if any(map(_NUMBER.fullmatch, texts)):
        return [EXCEL, UNIX]
    between = {found[1] for text in texts if (found := _CLOCK.search(text))}
    clocks = ["", *(mark + clock for mark in between for clock in _CLOCKS)]
    dates = [*_guessed(_CLOCK.sub("", text) for text in texts), *_DATES, _OF_ORACLE]
    return [*_guessed(texts), *(date + clock for date in dict.fromkeys(dates) for clock in clocks), *_WITH_ZONE]


def _guessed(texts: Iterable[str]) -> list[str]:
    guessed: list[str | None] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a day is not first where it was tried first
        for text in texts:
            guessed += [guess_datetime_format(text, dayfirst=first) for first in (True, False)]
    # pandas takes the name of a day for one that all values have
    return [_LONG_DAY.sub("%A", _SHORT_DAY.sub("%a", form)) for form in guessed if form]


def _reads(values: pd.Series[Any], form: str) -> pd.Series[bool]:
    """Return which values a form makes a time of our days."""
    found: pd.Series[bool] = as_times(values, ColumnConfig(Role.time, format=form)).dt.year.isin(YEARS)
    return found
