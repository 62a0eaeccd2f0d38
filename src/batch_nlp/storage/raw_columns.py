"""Whether raw files have the columns that they should: a changed schema is refused whole, before any work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from batch_nlp.errors import DataError
from batch_nlp.storage.raw_formats import rows_of
from batch_nlp.storage.raw_lines import Row

# How much of the start of a file its columns are judged by
_PEEK_ROWS, _PEEK_BYTES = 1000, 2**24
# Values under which a column of another type, or one that is not there, can be the fault of its rows
_LEAST_ROWS = 20


class Kind(Enum):
    """What the values of a column stand for."""

    KEY = "ids"
    TEXT = "texts"
    DATE = "dates"
    LABEL = "labels"
    NUMBER = "numbers"
    # text or a list of texts
    WORDS = "words"


@dataclass(frozen=True)
class Column:
    """A column that a table should have.

    Parameters
    ----------
    name : str
        Name in the source.
    kind : Kind
        What its values stand for.
    required : bool
        Whether every file must have it. One that is not required is missed where `usual` names it.
    """

    name: str
    kind: Kind
    required: bool = False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_numeral(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, bool)


def _is_date(value: Any) -> bool:
    if isinstance(value, date):
        return True
    # as the step extract reads it: a bare number like its digits, never as seconds since some epoch
    text = str(value) if _is_number(value) else value
    return isinstance(text, str) and not pd.isna(pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce"))


_READABLE: dict[Kind, Callable[[Any], bool]] = {
    Kind.KEY: lambda value: isinstance(value, str) or _is_number(value),
    Kind.TEXT: lambda value: isinstance(value, str),
    Kind.DATE: _is_date,
    Kind.LABEL: lambda value: isinstance(value, str) or _is_number(value),
    Kind.NUMBER: _is_numeral,
    Kind.WORDS: lambda value: isinstance(value, str | list),
}


def first_rows(file: Path) -> list[Row]:
    """Return the rows at the start of a file by which its columns are judged; broken ones are passed over."""
    rows, size = [], 0
    for found in islice(rows_of(file), _PEEK_ROWS):
        size += found.size
        if isinstance(found.row, dict):
            rows.append(found.row)
        if size > _PEEK_BYTES:
            break
    return rows


def column_names(rows: Iterable[Row]) -> set[str]:
    """Return the columns that any of some rows has."""
    return set().union(*rows)


def missing_columns(file: Path, rows: Sequence[Row], wanted: Iterable[str]) -> str | None:
    """Return what is to be said of columns that none of a file's first rows has; None where all are there."""
    present = column_names(rows)
    missing = [name for name in wanted if name not in present]
    if not rows or not missing:
        return None
    return (
        f"{file}: column(s) {', '.join(missing)} are missing from all of its first {len(rows):,} rows; it has "
        f"{', '.join(map(str, sorted(present)))}."
    )


def column_problems(file: Path, columns: Sequence[Column], usual: Iterable[str] = ()) -> list[str]:
    """Return what is wrong with the columns of a file, a sentence each.

    Parameters
    ----------
    file : Path
    columns : sequence of Column
    usual : iterable of str
        Columns that are not required and that earlier files had.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    rows, expected = first_rows(file), set(usual)
    wanted = [
        column.name for column in columns if column.required or (column.name in expected and len(rows) >= _LEAST_ROWS)
    ]
    missing = missing_columns(file, rows, wanted)
    return ([missing] if missing else []) + [
        problem for column in columns if (problem := _type_problem(file, rows, column))
    ]


def _type_problem(file: Path, rows: Sequence[Row], column: Column) -> str | None:
    found = (row.get(column.name) for row in rows)
    values = [value for value in found if not (value is None or value is pd.NaT or value != value)]
    # a look at one readable value is enough: single rows that are not go to quarantine
    if len(values) < _LEAST_ROWS or any(_READABLE[column.kind](value) for value in values):
        return None
    types = ", ".join(sorted({type(value).__name__ for value in values}))
    return (
        f"{file}: column {column.name} has no {column.kind.value} in its first {len(rows):,} rows: none of its "
        f"{len(values):,} values ({types}) can be read as such."
    )


def refuse(problems: Sequence[str], advice: str = "") -> None:
    """Raise an error that names all problems with the schema at once; without any, do nothing.

    Raises
    ------
    DataError
    """
    if not problems:
        return
    hint = f"If the source renamed columns, say so in dataset.columns. {advice}".strip()
    if len(problems) == 1:
        raise DataError(f"{problems[0]} {hint}")
    raise DataError("\n- ".join([f"{len(problems)} problems with columns; nothing was read. {hint}", *problems]))
