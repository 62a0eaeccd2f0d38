"""Whether raw files have the columns that they should: a changed schema is refused whole, before any work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from batch_nlp.config import ColumnConfig
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
    # whatever can be written as text
    ANY = "values"


@dataclass(frozen=True)
class Column:
    """A column that a table should have.

    Parameters
    ----------
    names : tuple of str
        Names in the source: of several, a file may have any.
    kind : Kind
        What its values stand for.
    required : bool
        Whether every file must have one of them. One that is not required is missed where `usual` names it.
    formats : tuple of ColumnConfig
        Of dates, how those of each name are written.
    """

    names: tuple[str, ...]
    kind: Kind
    required: bool = False
    formats: tuple[ColumnConfig, ...] = ()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_numeral(value: Any) -> bool:
    try:
        float(value.strip("$€£¥₹ ").replace(",", "") if isinstance(value, str) else value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, bool)


def _is_date(value: Any, column: ColumnConfig | None) -> bool:
    if isinstance(value, date):
        return True
    # as the step extract reads it: a bare number like its digits, never as seconds since some epoch
    text = str(value) if _is_number(value) else value
    form = "ISO8601" if column is None else column.format or "ISO8601"
    return isinstance(text, str) and not pd.isna(pd.to_datetime(text, format=form, utc=True, errors="coerce"))


def _is_readable(value: Any, kind: Kind, column: ColumnConfig | None) -> bool:
    if kind is Kind.DATE:
        return _is_date(value, column)
    if kind is Kind.NUMBER:
        return _is_numeral(value)
    if kind is Kind.TEXT:
        return isinstance(value, str | list)
    return kind is Kind.ANY or isinstance(value, str) or _is_number(value)


def unwrapped(row: Row, under: str | None) -> Row:
    """Return a row's columns, which may lie under one of its fields."""
    found = row.get(under) if under else None
    return found if isinstance(found, dict) else row


def first_rows(file: Path, under: str | None = None) -> list[Row]:
    """Return the rows at the start of a file by which its columns are judged; broken ones are passed over.

    Parameters
    ----------
    file : Path
    under : str, optional
        Field under which the columns of a row lie.
    """
    rows, size = [], 0
    for found in islice(rows_of(file), _PEEK_ROWS):
        size += found.size
        if isinstance(found.row, dict):
            rows.append(unwrapped(found.row, under))
        if size > _PEEK_BYTES:
            break
    return rows


def column_names(rows: Iterable[Row]) -> set[str]:
    """Return the columns that any of some rows has."""
    return set().union(*rows)


def missing_columns(file: Path, rows: Sequence[Row], wanted: Iterable[str | tuple[str, ...]]) -> str | None:
    """Return what is to be said of columns that none of a file's first rows has; None where all are there.

    Parameters
    ----------
    file : Path
    rows : sequence of dict
    wanted : iterable of str or tuple of str
        Of a tuple, one is enough.
    """
    present = column_names(rows)
    alternatives = [(names,) if isinstance(names, str) else names for names in wanted]
    missing = [" or ".join(names) for names in alternatives if not present & set(names)]
    if not rows or not missing:
        return None
    return (
        f"{file}: column(s) {', '.join(missing)} are missing from all of its first {len(rows):,} rows; it has "
        f"{', '.join(map(str, sorted(present)))}."
    )


def column_problems(
    file: Path, columns: Sequence[Column], usual: Iterable[str] = (), under: str | None = None
) -> list[str]:
    """Return what is wrong with the columns of a file, a sentence each.

    Parameters
    ----------
    file : Path
    columns : sequence of Column
    usual : iterable of str
        Columns that are not required and that earlier files had.
    under : str, optional
        Field under which the columns of a row lie.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    rows, expected = first_rows(file, under), set(usual)
    wanted = [
        column.names
        for column in columns
        if column.required or (set(column.names) & expected and len(rows) >= _LEAST_ROWS)
    ]
    missing = missing_columns(file, rows, wanted)
    return ([missing] if missing else []) + [
        problem
        for column in columns
        for position, name in enumerate(column.names)
        if (problem := _type_problem(file, rows, name, column, position))
    ]


def _type_problem(file: Path, rows: Sequence[Row], name: str, column: Column, position: int) -> str | None:
    found = (row.get(name) for row in rows)
    values = [value for value in found if not (value is None or value is pd.NaT or value != value or value == "")]
    form = column.formats[position] if column.formats else None
    # a look at one readable value is enough: single rows that are not go to quarantine
    if len(values) < _LEAST_ROWS or any(_is_readable(value, column.kind, form) for value in values):
        return None
    types = ", ".join(sorted({type(value).__name__ for value in values}))
    return (
        f"{file}: column {name} has no {column.kind.value} in its first {len(rows):,} rows: none of its "
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
    hint = (
        "If the source renamed a column, declare its new name beside the old one: "
        f"'+dataset.messages.columns.NEW={{role: id}}', or text, time, ... {advice}"
    ).strip()
    if len(problems) == 1:
        raise DataError(f"{problems[0]} {hint}")
    raise DataError("\n- ".join([f"{len(problems)} problems with columns; nothing was read. {hint}", *problems]))
