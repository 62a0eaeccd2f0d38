"""What values a column should have by its role, and what to do if they are written differently."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from batch_nlp.dataset.message_columns import declaration, names_of, override
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
# Up to this share, times in another form are strays that go to quarantine
_STRAYS = 0.2
# Days, months, hours, minutes, seconds: 01 is valid for each
_OF_TWO_DIGITS = re.compile(r"(?<!\d)\d{1,2}(?!\d)")


def _is_readable(column: ColumnConfig, value: Any) -> bool:
    if column.role is Role.time:
        return is_time(value, column)
    if column.role is Role.number:
        return not math.isnan(as_number(value, column.format))
    if column.role is Role.text:  # a column of numbers is not a text, although a single number may be
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
    """Return the expected column for columns of one role; a file may have any of the alternative names.

    Only columns of messages can be set on the command line. The model `champion` reads the columns as it was trained,
    whatever the settings say.
    """
    reads = {name: partial(_is_readable, columns[name]) for name in names}
    role, advice = columns[names[0]].role, Advice(columns, of_messages, champion)
    if role is Role.time:
        return Column(reads, _WORDS[role], required, advice.on_times, advice.on_mixed_times)
    if role is Role.number:
        return Column(reads, _WORDS[role], required, advice.on_decimal_signs, advice.on_decimal_signs)
    return Column(reads, _WORDS.get(role, "values"), required)


@dataclass(frozen=True)
class Advice:
    """What to do about values of a table's columns that are written in another format than expected."""

    columns: Mapping[str, ColumnConfig]
    of_messages: bool = True
    champion: str | None = None

    def on_times(self, name: str, values: Sequence[Any]) -> str:
        """Return what to do about times of which none can be read."""
        from batch_nlp.dataset.time_formats import guess_formats  # needed only for errors

        column = self.columns[name]
        forms, form = guess_formats(values), column.format
        if not forms and (wrong := [value for value in values if _is_impossible_date(value, column)]):
            return (
                f"The format is right, but {count(len(wrong), 'value')} contain a day or an hour that does not exist, "
                f'such as "{printable(wrong[0])}". Correct them in the file.'
            )
        if not forms:
            right = "ISO 8601" if form is None or ISO in form.split(OR) else f'the format "{form}"'
            example = ", such as 2022-01-31T09:15:00+01:00" if right == "ISO 8601" else ""
            return (
                f"Write them in {right} in the source{example}, or set the strptime format of the column in the "
                "dataset's file."
            )
        # a small file need not be representative
        forms = _combined_formats(column, forms) if len(values) < LEAST_ROWS else forms
        return f'They are written like "{printable(values[0])}": {self.setting(name, forms)}'

    def on_mixed_times(self, name: str, values: Sequence[Any]) -> str:
        """Return what to do if more than a few times have another known format; otherwise empty."""
        if len(values) < LEAST_ROWS:
            return ""
        column = self.columns[name]
        read = as_times(pd.Series(list(values), dtype=object), column).notna()
        others = [value for value, there in zip(values, read, strict=True) if not there]
        if len(others) <= _STRAYS * len(values):
            return ""
        from batch_nlp.dataset.time_formats import guess_formats

        if not (forms := _combined_formats(column, guess_formats(others))):
            return ""
        share = f"{len(others):,} of its {len(values):,} dates"
        return f'{share} are in another form, like "{printable(others[0])}": {self.setting(name, forms)}'

    def on_decimal_signs(self, name: str, values: Sequence[Any]) -> str:
        """Return what to do about numbers with decimal commas if the column's decimal sign is not set."""
        if self.columns[name].format is not None:
            return ""
        texts = [value for value in values if isinstance(value, str) and not value.isdigit()]
        plain, with_comma = ([not math.isnan(as_number(text, sign)) for text in texts] for sign in ".,")
        decimal = [text for text, here, there in zip(texts, plain, with_comma, strict=True) if there and not here]
        if len(decimal) <= sum(here and not there for here, there in zip(plain, with_comma, strict=True)):
            return ""
        either = next((text for text in texts if "," in text and not math.isnan(as_number(text))), None)
        unsure = f", so {either} would be read as {as_number(either):.0f}" if either else ""
        share = f"{len(decimal):,} of its {len(values):,} numbers"
        return (
            f'{share} have decimal commas, such as "{printable(decimal[0])}"{unsure}. If all commas are decimal: '
            f'{self.setting(name, [","])} If none are, set format to "." instead.'
        )

    def setting(self, name: str, forms: Sequence[str]) -> str:
        """Return the line for the dataset's file, or the override, that sets one of several formats of a column.

        With a champion, which reads the column as it was trained, a new one that also reads the old format is needed.
        """
        column, how = self.columns[name], ""
        if self.champion is not None:
            forms = _combined_formats(column, forms) if column.role is Role.time else forms
            how = (
                f"in the file, write them in the format that champion {self.champion} was trained on. Or pass this "
                "setting to pipeline=feature, then pipeline=training, then here: "
            )
        settings = [one for form in forms for one in override(name, "format", form)] if self.of_messages else []
        lines = [declaration(name, replace(column, format=form)) for form in forms]
        lines = [f"{line} in the dataset's file" for line in (lines[:1] if settings else lines)]
        unsure = " (the values fit both: choose the right one)" if len(forms) > 1 else ""
        return f"{how}{' or '.join([*lines, *settings])}{unsure}."


def _combined_formats(column: ColumnConfig, forms: Sequence[str]) -> list[str]:
    """Return the formats combined with the column's present one."""
    before = f"{column.format or ISO}{OR}"
    return [form if form.startswith(before) else before + form for form in forms]


def _is_impossible_date(value: Any, column: ColumnConfig) -> bool:
    """Say whether only a day, month or hour that does not exist makes a value unreadable, as in 31.02.2026."""
    return isinstance(value, str) and is_time(_OF_TWO_DIGITS.sub("01", value), column)


def log_unread_times(columns: Mapping[str, ColumnConfig], quarantine: Path) -> None:
    """Log which setting would read the times in a file of quarantined messages, if their format is known."""
    from batch_nlp.dataset.time_formats import guess_formats  # needed only for errors

    times = names_of(columns, Role.time)
    if not times or not quarantine.exists():
        return
    rows = pq.read_table(quarantine, columns=["step", "column", "value"], page_checksum_verification=True)
    rows = rows.filter(pc.equal(rows["step"], "extract"))
    for name in times:
        values = rows.filter(pc.equal(rows["column"], name))["value"].to_pylist()
        if forms := [f"{columns[name].format or ISO}{OR}{form}" for form in guess_formats(values)]:
            logger.warning(
                "{:,} times of column {} cannot be read, such as {}. To read them: {}",
                len(values),
                printable(name),
                printable(values[0]),
                Advice(columns).setting(name, forms),
            )
