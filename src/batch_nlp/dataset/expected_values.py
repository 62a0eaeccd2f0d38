"""What a column of a raw table should hold by its role, and what to do where its values are written otherwise."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
from loguru import logger

from batch_nlp.config import ColumnConfig, Role
from batch_nlp.dataset.conversion import UNREADABLE, as_category, as_key, as_number, as_text
from batch_nlp.dataset.labels import as_target
from batch_nlp.dataset.message_columns import declared, names_of, pasted
from batch_nlp.dataset.parse_times import ISO, OR, as_times, is_time
from batch_nlp.errors import count, printable
from batch_nlp.storage.raw.column_checks import LEAST_ROWS, Column

_WORDS = {
    Role.id: "ids",
    Role.key: "ids",
    Role.text: "texts",
    Role.time: "dates",
    Role.number: "numbers",
    Role.category: "categories",
}
# Says of the name of a column which of several formats to set, and how
_Said = Callable[[str, Sequence[str]], str]
# Share of the times that may be in another form: such rows go to quarantine
_STRAYS = 0.2
# Days, months, hours, minutes and seconds; 01 is one of each
_OF_TWO_DIGITS = re.compile(r"(?<!\d)\d{1,2}(?!\d)")


def _is_readable(column: ColumnConfig, value: Any) -> bool:
    if column.role is Role.time:
        return is_time(value, column)
    if column.role is Role.number:
        return not math.isnan(as_number(value, column.format))
    if column.role is Role.text:  # a single number can be a text, a column of them is none
        return isinstance(value, str | list) and as_text(value) is not UNREADABLE
    read = {Role.id: as_key, Role.key: as_key, Role.category: as_category}.get(column.role)
    return read is None or read(value) is not UNREADABLE


def is_label(value: Any) -> bool:
    """Say whether a value can be read as a label."""
    return as_target(value) is not UNREADABLE


def expected_column(
    columns: Mapping[str, ColumnConfig],
    names: Sequence[str],
    required: bool = False,
    of_messages: bool = True,
    champion: str | None = None,
) -> Column:
    """Return what a table should have for columns of one role.

    Parameters
    ----------
    columns : mapping of str to ColumnConfig
        Those of the table.
    names : sequence of str
        Of which a file may have any.
    required : bool
        Whether it must have one.
    of_messages : bool
        Whether a setting on the command line can name them.
    champion : str, optional
        The model that reads them as it was trained to, whatever the settings say.
    """
    reads = {name: partial(_is_readable, columns[name]) for name in names}
    role = columns[names[0]].role
    said = partial(settings_of, columns, of_messages)
    if champion is not None:
        said = partial(_settings_of_a_training, columns, of_messages, champion)
    if role is Role.time:
        return Column(
            reads,
            _WORDS[role],
            required,
            partial(_how_times_are_written, columns, said),
            partial(_times_of_other_forms, columns, said),
        )
    if role is Role.number:
        decimals = partial(_other_decimals, columns, said)
        return Column(reads, _WORDS[role], required, decimals, decimals)
    return Column(reads, _WORDS.get(role, "values"), required)


def settings_of(columns: Mapping[str, ColumnConfig], of_messages: bool, name: str, forms: Sequence[str]) -> str:
    """Return what to put in the dataset's file, or to paste, for one of several formats of a column."""
    settings = [setting for form in forms for setting in pasted(name, "format", form)] if of_messages else []
    lines = [declared(name, replace(columns[name], format=form)) for form in forms]
    lines = [f"{line} in the dataset's file" for line in (lines[:1] if settings else lines)]
    unsure = " (whichever is true: the values do not tell)" if len(forms) > 1 else ""
    return f"{' or '.join([*lines, *settings])}{unsure}."


def _settings_of_a_training(
    columns: Mapping[str, ColumnConfig], of_messages: bool, champion: str, name: str, forms: Sequence[str]
) -> str:
    """Return what `settings_of` does, for the next champion; it reads what came before too."""
    forms = _besides(columns[name], forms) if columns[name].role is Role.time else forms
    return (
        f"in the file, write them as the champion {champion} was trained to read them. Or, in pipeline=feature, "
        f"pipeline=training and then here: {settings_of(columns, of_messages, name, forms)}"
    )


def _besides(column: ColumnConfig, forms: Sequence[str]) -> list[str]:
    """Return formats of times that read what is read without them too."""
    before = f"{column.format or ISO}{OR}"
    return [form if form.startswith(before) else before + form for form in forms]


def _how_times_are_written(columns: Mapping[str, ColumnConfig], said: _Said, name: str, values: Sequence[Any]) -> str:
    from batch_nlp.dataset.time_formats import time_forms  # asked for in errors alone

    forms, form = time_forms(values), columns[name].format
    if not forms and (wrong := [value for value in values if _is_none_of_the_calendar(value, columns[name])]):
        return (
            f"In the right form, but with a day or an hour that does not exist: {count(len(wrong), 'value')}, such as "
            f'"{printable(wrong[0])}". Correct this in the file.'
        )
    if not forms:
        right = "ISO 8601" if form is None or ISO in form.split(OR) else f'the format "{form}" says'
        example = ", such as 2022-01-31T09:15:00+01:00" if right == "ISO 8601" else ""
        return (
            f"Write them as {right} in the source{example}, or, if strptime can read them, say how: format in the role "
            "of the column."
        )
    # other files need not be written like one of a few rows
    forms = _besides(columns[name], forms) if len(values) < LEAST_ROWS else forms
    return f'They are written like "{printable(values[0])}": {said(name, forms)}'


def _is_none_of_the_calendar(value: Any, column: ColumnConfig) -> bool:
    """Say whether what keeps a value from being a time are its days, months or hours, as in 31.02.2026."""
    return isinstance(value, str) and is_time(_OF_TWO_DIGITS.sub("01", value), column)


def _times_of_other_forms(columns: Mapping[str, ColumnConfig], said: _Said, name: str, values: Sequence[Any]) -> str:
    """Return what to do where more than stray times are in a form that is known and not said."""
    if len(values) < LEAST_ROWS:
        return ""
    column = columns[name]
    read = as_times(pd.Series(list(values), dtype=object), column).notna()
    others = [value for value, there in zip(values, read, strict=True) if not there]
    if len(others) <= _STRAYS * len(values):
        return ""
    from batch_nlp.dataset.time_formats import time_forms

    forms = _besides(column, time_forms(others))
    if not forms:
        return ""
    share = f"{len(others):,} of its {len(values):,} dates"
    return f'{share} are in another form, like "{printable(others[0])}": {said(name, forms)}'


def _other_decimals(columns: Mapping[str, ColumnConfig], said: _Said, name: str, values: Sequence[Any]) -> str:
    """Return what to do where numbers have decimal commas, and which sign that is was not said."""
    if columns[name].format is not None:
        return ""
    texts = [value for value in values if isinstance(value, str) and not value.isdigit()]
    plain, with_comma = ([not math.isnan(as_number(text, sign)) for text in texts] for sign in ".,")
    decimal = [text for text, here, there in zip(texts, plain, with_comma, strict=True) if there and not here]
    if len(decimal) <= sum(here and not there for here, there in zip(plain, with_comma, strict=True)):
        return ""
    either = next((text for text in texts if "," in text and not math.isnan(as_number(text))), None)
    unsure = f", so that {either} would be read as {as_number(either):.0f}" if either else ""
    share = f"{len(decimal):,} of its {len(values):,} numbers"
    return (
        f'{share} have decimal commas, such as "{printable(decimal[0])}"{unsure}. If all commas are: '
        f'{said(name, [","])} If none are, set format to "." there.'
    )


def log_unread_times(columns: Mapping[str, ColumnConfig], quarantine: Path) -> None:
    """Log what would read the times of messages that are in quarantine for them, in a form that is known.

    Parameters
    ----------
    columns : mapping of str to ColumnConfig
        Of the messages.
    quarantine : Path
        File of the rows; there is none where all is well.
    """
    from batch_nlp.dataset.time_formats import time_forms  # asked for in errors alone

    times = names_of(columns, Role.time)
    if not times or not quarantine.exists():
        return
    rows = pq.read_table(quarantine, columns=["step", "column", "value"], page_checksum_verification=True)
    rows = rows.filter(pc.equal(rows["step"], "extract"))
    for name in times:
        values = rows.filter(pc.equal(rows["column"], name))["value"].to_pylist()
        if forms := [f"{columns[name].format or ISO}{OR}{form}" for form in time_forms(values)]:
            logger.warning(
                "{:,} times of column {} cannot be read, such as {}. Read them too: {}",
                len(values),
                printable(name),
                printable(values[0]),
                settings_of(columns, True, name, forms),
            )
