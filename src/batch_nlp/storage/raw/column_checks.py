"""Check that raw files have the expected columns: a changed schema stops the run before any work."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from batch_nlp.errors import DataError, examples
from batch_nlp.storage.raw.file_names import kind_of
from batch_nlp.storage.raw.formats import CSV, columns_of, head, rows_of
from batch_nlp.storage.raw.lines import Row
from batch_nlp.storage.raw.nested_json import expand_lists, unwrap
from batch_nlp.storage.raw.opening import DETECTED, TextForm
from batch_nlp.storage.raw.separators import SEPARATORS, other_separator, separator_of_known

# Column names shown in a message
_LISTED = 20
_SEPARATED = re.compile(f"[{re.escape(''.join(SEPARATORS))}]")
# With fewer values, a wrong type or a missing column may be due to single rows
LEAST_ROWS = 20


@dataclass(frozen=True)
class Column:
    """An expected column of a table.

    `reads` maps each name that a file may use to a function that says whether a value is readable; `what` names the
    values in the plural. Only a `required` column must be in every file; others are missed if earlier files had them.
    `advice` says what to do about the unreadable values of a column, and `mixed` what to do about those beside readable
    ones, empty if they are only strays.
    """

    reads: Mapping[str, Callable[[Any], bool]]
    what: str
    required: bool = False
    advice: Callable[[str, Sequence[Any]], str] | None = None
    mixed: Callable[[str, Sequence[Any]], str] | None = None


def first_rows(file: Path, under: str | None = None, form: TextForm = DETECTED) -> list[Row]:
    """Return the first rows of a file, by which its columns are judged; broken rows are skipped.

    `under` is the field with the columns of a row. A file that only has a header gives one row of nulls.
    """
    first = head(expand_lists(rows_of(file, form=form), under))
    names = [] if first else columns_of(file, form)
    rows = [unwrap(found.row, under) for found in first if isinstance(found.row, dict)]
    return [dict.fromkeys(names)] if names else rows


def column_names(rows: Iterable[Row]) -> set[str]:
    """Return all columns that occur in the rows."""
    return set().union(*rows)


def listed(names: Iterable[object]) -> str:
    """Return column names for a message, at most 20."""
    found = sorted(map(str, names))
    return examples(found, _LISTED) + ", ..." * (len(found) > _LISTED)


def has_header(file: Path, rows: Sequence[Row], known: Iterable[str]) -> bool:
    """Say whether the file has a header; without one, the first line of a CSV is a message.

    A header contains at least one of the `known` names, perhaps with another separator.
    """
    present = column_names(rows)
    names = {part.strip() for name in map(str, present) for part in _SEPARATED.split(name)} | present
    return kind_of(file) not in CSV or not names.isdisjoint(known) or separator_of_known(present, known) is not None


def missing_columns(
    file: Path, rows: Sequence[Row], wanted: Iterable[str | tuple[str, ...]], known: Collection[str]
) -> str | None:
    """Return an error message about columns missing from all first rows of a file; None if no column is missing.

    One name of each tuple in `wanted` is enough; `known` has all column names of the table.
    """
    present = column_names(rows)
    alternatives = [(names,) if isinstance(names, str) else names for names in wanted]
    missing = [" or ".join(names) for names in alternatives if not present & set(names)]
    if not rows or not missing:
        return None
    if not has_header(file, rows, known):
        return (
            f"{file}: column(s) {', '.join(missing)} are missing, and so is every other known column. The first line "
            f"seems to be data ({len(present)} cells, not shown). Add a header line with the column names, or declare "
            "the columns if the line is a header."
        )
    other = other_separator(present, known)
    return (
        f"{file}: column(s) {', '.join(missing)} are missing from all of the first {len(rows):,} rows. The file has "
        f"{listed(present)}."
        f"{f' The separator seems to be {other!r}: set dataset.messages.separator.' if other else ''}"
    )


def absent(rows: Sequence[Row], columns: Iterable[Column], usual: Collection[str] = ()) -> list[Column]:
    """Return the expected columns that are missing from a file's first rows; see `column_problems`."""
    present = column_names(rows)
    return [
        column
        for column in columns
        if rows
        and present.isdisjoint(column.reads)
        and (column.required or (len(rows) >= LEAST_ROWS and not column.reads.keys().isdisjoint(usual)))
    ]


def column_problems(
    file: Path, rows: Sequence[Row], columns: Sequence[Column], usual: Collection[str] = ()
) -> list[str]:
    """Return what is wrong with the columns of a file, by its first rows, one message per problem.

    `usual` names the optional columns that earlier files of the same layout had.
    """
    known = {name for column in columns for name in column.reads}
    missing = missing_columns(file, rows, [tuple(column.reads) for column in absent(rows, columns, usual)], known)
    return ([missing] if missing else []) + [
        problem for column in columns for problem in type_problems(str(file), rows, column)
    ]


def type_problems(file: str, rows: Sequence[Row], column: Column) -> list[str]:
    """Return what is wrong with the values of a column; `file` names one file or several."""
    problems, of_few, there = list[str](), list[str](), 0
    for name, reads in column.reads.items():
        found = (row.get(name) for row in rows)
        values = [value for value in found if not (value is None or value is pd.NaT or value != value or value == "")]
        there += bool(values)
        few = len(values) < LEAST_ROWS
        # one readable value is enough: single unreadable rows go to quarantine
        if not values:
            continue
        if any(map(reads, values)) or (few and any(map(reads, _texts(values)))):
            if column.mixed and (said := column.mixed(name, values)):
                problems.append(f"{file}: column {name}: {said}")
            continue
        types = ", ".join(sorted({type(value).__name__ for value in values}))
        advice = column.advice(name, values) if column.advice else ""
        (of_few if few else problems).append(
            f"{file}: column {name}: none of the {len(values):,} values ({types}) in the first {len(rows):,} rows "
            f"can be read as {column.what}. {advice}".rstrip()
        )
    # in a small file this counts only if no row could be read
    none_left = column.required and len(problems) + len(of_few) == there
    return problems + (of_few if none_left else [])


def _texts(values: Iterable[Any]) -> list[Any]:
    """Return the values with numbers as text: in a small file, they may be texts."""
    return [str(value) if type(value) in (int, float, Decimal) else value for value in values]


def refuse(problems: Sequence[str], advice: Iterable[str] = ()) -> None:
    """Raise one `DataError` that names all schema problems and what to do, if there are any."""
    if not problems:
        return
    if len(problems) == 1:
        raise DataError(" ".join([problems[0], *advice]))
    first = " ".join([f"{len(problems)} problems with columns. Nothing was read.", *advice])
    raise DataError("\n- ".join([first, *problems]))
