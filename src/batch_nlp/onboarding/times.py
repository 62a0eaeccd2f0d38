"""How times are written: the format that reads the values of a column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from batch_nlp.config import ColumnConfig, Role
from batch_nlp.dataset.time_forms import time_forms
from batch_nlp.dataset.values import as_times

# A bare number could be a year, and is hardly ever a time
_ISO, _LIKE_A_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}"), re.compile(r"\d.*[-/. ,:].*\d|[A-Za-z]{3}.*\d{4}")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
# Values that are tried
_TRIED = 400


@dataclass(frozen=True)
class TimeFormat:
    """How the times of a column are written.

    Parameters
    ----------
    format : str or None
        As in strptime, None for ISO 8601.
    other : str or None
        A format that reads all values too, with days and months exchanged.
    """

    format: str | None
    other: str | None = None


def time_format(values: Sequence[Any]) -> TimeFormat | None:
    """Return the format that reads all of some values; None where they are no times.

    Parameters
    ----------
    values : sequence
        Without missing ones.
    """
    texts = list(dict.fromkeys(str(value).strip() for value in values))
    texts = texts[:: max(1, len(texts) // _TRIED)][:_TRIED]
    if not texts or any(len(text) > 40 or not _LIKE_A_DATE.search(text) for text in texts):
        return None
    if all(_ISO.match(text) for text in texts) and _reads(texts, None):
        return TimeFormat(None)
    fitting = [] if any(map(_NUMBER.fullmatch, texts)) else [form for form in time_forms(texts) if _reads(texts, form)]
    if not fitting:
        return None
    if "%p" in fitting[0]:  # where the clock has twelve hours, months come first
        fitting.sort(key=lambda found: found.find("%m"))
    return TimeFormat(fitting[0], fitting[1] if len(fitting) > 1 else None)


def _reads(texts: Sequence[str], form: str | None) -> bool:
    column = ColumnConfig(Role.time, format=form)
    return bool(as_times(pd.Series(texts, dtype=object), column).notna().all())
