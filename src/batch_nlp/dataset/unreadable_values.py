"""Find message files in which every row has an unreadable value: the whole file is set aside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from batch_nlp.config import DatasetConfig, Role
from batch_nlp.dataset.conversion import UNREADABLE, as_key, as_text, is_missing
from batch_nlp.dataset.expected_values import expected_column, is_label
from batch_nlp.dataset.labels import Labels
from batch_nlp.dataset.message_columns import names_of, text_form
from batch_nlp.dataset.parse_times import as_times, is_time
from batch_nlp.dataset.where import Where
from batch_nlp.errors import none_readable, printable
from batch_nlp.storage.raw.column_checks import Column
from batch_nlp.storage.raw.file_names import source_name
from batch_nlp.storage.raw.formats import rows_of
from batch_nlp.storage.raw.lines import BrokenRow, Row
from batch_nlp.storage.raw.nested_json import expand_lists, unwrap
from batch_nlp.storage.raw.set_aside import SetAside

# Rows inspected at a time; the first ones show the format of the values
_ROWS = 1000
# Files for which advice is given
ADVISED = 20
_READ = {Role.id: as_key, Role.key: as_key, Role.text: as_text}


class Readable:
    """Finds values that cannot be read by their role."""

    def __init__(self, dataset: DatasetConfig, labels: bool) -> None:
        self._columns = dataset.messages.columns
        self._read = {name: _READ[column.role] for name, column in self._columns.items() if column.role in _READ}
        self._times = names_of(self._columns, Role.time)
        self._labels = Labels(dataset.label).columns if labels else []

    def unreadable_columns(self, rows: Sequence[Row]) -> list[list[str]]:
        """Return the unreadable columns of each raw row."""
        found = [
            [
                *(name for name, read in self._read.items() if read(row.get(name)) is UNREADABLE),
                *(name for name in self._labels if not is_label(row.get(name))),
            ]
            for row in rows
        ]
        for name in self._times:
            for place in self._no_times(name, [row.get(name) for row in rows]):
                found[place].append(name)
        return found

    def _no_times(self, name: str, values: list[Any]) -> Sequence[int]:
        """Return the positions of unreadable times in a column."""
        column = self._columns[name]
        if len(values) == 1:  # a shortcut for files with one row
            [value] = values
            return [] if is_missing(value) or value == "" or is_time(value, column) else [0]
        found = pd.Series(values, dtype=object)
        found = found.mask(found.eq(""), None)
        no_times: list[int] = np.flatnonzero(as_times(found, column).isna() & found.notna()).tolist()
        return no_times

    def reads_none(self, rows: Sequence[Row]) -> bool:
        """Say whether none of the raw rows can be read; true for no rows."""
        # nearly always, the first row can be read
        return all(self.unreadable_columns(rows[:1])) and all(self.unreadable_columns(rows))


def unreadable(
    dataset: DatasetConfig, file: Path, labels: bool, champion: str | None = None, advised: bool = True
) -> SetAside | None:
    """Return a message file in which no row can be read, with the reasons; None for any other file.

    A row that ``where`` excludes counts as readable. The file is read up to its first readable row. The messages must
    have the columns of the model `champion`. Advice takes time to find, so `advised` turns it off.
    """
    messages, readable = dataset.messages, Readable(dataset, labels)
    values, broken, number = defaultdict[str, list[Any]](list), list[BrokenRow](), 0
    found = expand_lists(rows_of(file, form=text_form(messages)), messages.rows)
    while chunk := [numbered.row for numbered in islice(found, _ROWS)]:
        rows = [unwrap(row, messages.rows) for row in chunk if isinstance(row, dict)]
        if not all(wrong := readable.unreadable_columns(rows)):
            return None
        for row, name in ((row, name) for row, names in zip(rows, wrong, strict=True) for name in names):
            values[name] += [row[name]][: number < _ROWS]
        if messages.where is not None and rows and not Where(messages.where).keeps(rows).all():
            return None
        broken += [row for row in chunk if isinstance(row, BrokenRow)][: not broken]
        number += len(chunk)
    if not values:  # no rows, or only broken lines, which are reported elsewhere
        return None
    expected = {name: _expected(dataset, name, champion) for name in values}
    problems = [f"Line {row.line}: {row.reason}." for row in broken]
    problems += [_problem(expected[name], name, of_column, advised) for name, of_column in values.items()]
    return SetAside(printable(source_name(file)), f"{file}: {none_readable(number)}. {' '.join(problems)}")


def unreadable_files(
    dataset: DatasetConfig, files: Iterable[Path], labels: bool, champion: str | None = None
) -> list[SetAside]:
    """Return the message files in which no row can be read, as in `unreadable`."""
    found: list[SetAside] = []
    for file in files:
        if problem := unreadable(dataset, file, labels, champion, len(found) < ADVISED):
            found.append(problem)
    return found


def _expected(dataset: DatasetConfig, name: str, champion: str | None) -> Column:
    columns = dataset.messages.columns
    return expected_column(columns, [name], champion=champion) if name in columns else Column({}, "labels")


def _problem(column: Column, name: str, values: Sequence[Any], advised: bool) -> str:
    types = ", ".join(sorted({type(value).__name__ for value in values}))
    advice = "Write each as a text or a number."
    if column.advice:
        advice = column.advice(name, values) if advised else "See the advice for other files."
    return f"Column {name}: {len(values):,} value(s) ({types}) cannot be read as {column.what}. {advice}"
