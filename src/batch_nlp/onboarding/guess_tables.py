"""Guess which files form a table, and whether it contains messages, joins them, or is unrelated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import escape
from itertools import takewhile
from pathlib import Path

from batch_nlp.dataset.conversion import as_key
from batch_nlp.errors import DataError, examples
from batch_nlp.onboarding.column_profiles import ColumnProfile, profiles
from batch_nlp.onboarding.guess_roles import text_columns, text_score
from batch_nlp.storage.raw.file_names import ending_of, find_files, table_name
from batch_nlp.storage.raw.lines import Row

# Share of a column's values that must be keys of a side table, unless the names are equal
_JOINING = 0.5
# Minimum text score of further message tables, relative to the best one, unless the name is that of a text
_ALIKE = 0.3
# A number, or a date with its separators
_NUMBERS = re.compile(r"\d+(?:[-_. ]?\d+)*")


@dataclass(frozen=True)
class Table:
    """Files with equal columns, and their first rows."""

    files: list[Path]
    rows: list[Row]


@dataclass(frozen=True)
class SideTable:
    """A table that a column of the messages joins; name, files and key as in the dataset's file."""

    name: str
    files: str
    key: str
    # The messages' column that joins the table
    column: str
    # The table's columns besides the key
    columns: list[ColumnProfile]


def group_tables(read: Sequence[tuple[Path, list[Row]]]) -> list[Table]:
    """Group files with equal columns; rare columns may be missing."""
    found: list[tuple[set[str], Table]] = []
    for file, rows in read:
        names = set().union(*rows)
        # JSON omits missing values: one file's columns may be a subset of another's
        known, table = next((one for one in found if names <= one[0] or names >= one[0]), (None, Table([], [])))
        if known is None:
            found.append((names, table))
        else:
            known.update(names)
        table.files.append(file)
        table.rows.extend(rows)
    return [table for _, table in found]


def split_tables(tables: Sequence[Table], text: Sequence[str]) -> tuple[list[Table], list[Table]]:
    """Return the tables with the main text, and the others; `text` names its columns, or is empty to guess them."""
    weights = [_weight(table) * len(table.rows) for table in tables]
    heaviest = profiles(tables[weights.index(max(weights))].rows)
    main = {*(text or [column.name for column in text_columns(heaviest)])}
    found: tuple[list[Table], list[Table]] = ([], [])
    for table in tables:
        found[main.isdisjoint(set().union(*table.rows))].append(table)
    return found if found[0] else ([*tables], [])


def _weight(table: Table) -> float:
    """Return the best text score of a table, regardless of column names."""
    return max((text_score(column) / (1 + 4 * column.is_named("text")) for column in profiles(table.rows)), default=0)


def has_messages(table: Table, messages: Sequence[Table]) -> bool:
    """Say whether a table with another text than the main one also contains messages."""
    is_named = any(column.is_named("text") for column in text_columns(profiles(table.rows)))
    return is_named or _weight(table) >= _ALIKE * max(map(_weight, messages))


def find_join(columns: Sequence[ColumnProfile], table: Table) -> tuple[str, str] | None:
    """Return the key of a table and the column of the messages that refers to it; None if there is no such column."""
    theirs = profiles(table.rows)
    for key in theirs:
        keys = {as_key(value) for value in key.there if not isinstance(value, list | dict)}
        if len(theirs) < 2 or len(keys) < max(len(key.values), 2) or text_score(key) > 0:
            continue
        for column in sorted(columns, key=lambda column: column.name != key.name):
            values = [as_key(value) for value in column.there if not isinstance(value, list | dict)]
            share = sum(value in keys for value in values) / len(column.there)
            if share >= _JOINING or (share and column.name == key.name):
                return key.name, column.name
    return None


def side_table(table: Table, files: str, key: str, column: str) -> SideTable:
    """Return a table as a side table, named after the column that joins it."""
    name = re.sub(r"[^\w]+|_(?:id|key|uuid)$", "", column.casefold()) or "side"
    return SideTable(name, files, key, column, [one for one in profiles(table.rows) if one.name != key])


def pattern_of(folder: Path, wanted: Sequence[Path], others: Sequence[Path]) -> str:
    """Return a name pattern that matches the wanted files and none of the others."""
    names, theirs = ([_stem(table_name(file, folder)) for file in files] for files in (wanted, others))
    start = _common(names)
    end = _common([name[len(start) :][::-1] for name in names])[::-1]
    pattern = escape(names[0]) if len({*names}) == 1 else f"{escape(start)}*{escape(end)}"
    if any(fnmatchcase(name, pattern) for name in theirs):
        named = examples(file.name for file in others)
        raise DataError(
            f"{folder}: no pattern separates the names of message files from others ({named}). Move the message files "
            "to a folder of their own, or name one file: init.file=FILE."
        )
    return pattern


def pattern_for_later(folder: Path, files: Sequence[Path]) -> tuple[str, str]:
    """Return a pattern that also matches later files with the same name, but other numbers or a longer name.

    If the pattern would match other existing files, it is the exact name. The second value is a note that says so.
    """
    name = _stem(table_name(files[0], folder))
    pattern = "[0-9]*".join(map(escape, _NUMBERS.split(name))).removesuffix("*") + "*"
    if others := [file for file in find_files(folder, pattern) if file not in files]:
        named = examples(file.name for file in others)
        return escape(name), f"only this name: a wider pattern would match {len(others)} other file(s) here, {named}"
    return pattern, "also matches later files with other numbers in their names"


def _common(names: Sequence[str]) -> str:
    return "".join(same[0] for same in takewhile(lambda letters: len({*letters}) == 1, zip(*names, strict=False)))


def _stem(name: str) -> str:
    return name[: len(name) - len(ending_of(name))]
