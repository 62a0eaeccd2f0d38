"""Whether raw files have the columns that they should: a changed schema is refused whole, before any work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from batch_nlp.errors import DataError
from batch_nlp.storage.raw_csv import SEPARATORS
from batch_nlp.storage.raw_formats import columns_of, rows_of
from batch_nlp.storage.raw_lines import BrokenRow, Numbered, Row
from batch_nlp.storage.raw_open import DETECTED, TextForm

# How much of the start of a file its columns are judged by
_PEEK_ROWS, _PEEK_BYTES = 1000, 2**24
# Values under which a column of another type, or one that is not there, can be the fault of its rows
LEAST_ROWS = 20


@dataclass(frozen=True)
class Column:
    """A column that a table should have.

    Parameters
    ----------
    reads : mapping of str to callable
        By its name in the source, says of a value whether it can be read; of several names, a file may have any.
    what : str
        What its values stand for, for people.
    required : bool
        Whether every file must have one of the names. One that is not required is missed where `usual` names it.
    advice : callable, optional
        Says of the name of a column and values of it that cannot be read what to do.
    """

    reads: Mapping[str, Callable[[Any], bool]]
    what: str
    required: bool = False
    advice: Callable[[str, Sequence[Any]], str] | None = None


def unwrapped(row: Row, under: str | None) -> Row:
    """Return a row's columns, which may lie under one of its fields."""
    found = row.get(under) if under else None
    return found if isinstance(found, dict) else row


def spread(rows: Iterator[Numbered], under: str | None) -> Iterator[Numbered]:
    """Yield each object of a list that lies under one field of a row as a row of its own; other rows as they are."""
    for found in rows:
        listed = found.row.get(under) if under and isinstance(found.row, dict) else None
        if not isinstance(listed, list):
            yield found
            continue
        for number, entry in enumerate(listed, 1):
            broken = BrokenRow(number, "not a JSON object", str(entry))
            yield Numbered(number, entry if isinstance(entry, dict) else broken, found.size // len(listed))


def head(rows: Iterator[Numbered]) -> list[Numbered]:
    """Take from rows of a file those at its start by which its columns are judged."""
    taken, size = list[Numbered](), 0
    for found in islice(rows, _PEEK_ROWS):
        taken.append(found)
        size += found.size
        if size > _PEEK_BYTES:
            break
    return taken


def first_rows(file: Path, under: str | None = None, form: TextForm = DETECTED) -> list[Row]:
    """Return the rows at the start of a file by which its columns are judged; broken ones are passed over.

    Parameters
    ----------
    file : Path
    under : str, optional
        Field under which the columns of a row lie.
    form : TextForm
        How a text file is written.

    Returns
    -------
    list of dict
        Of a file without rows, one without values for the columns that it names.
    """
    first = head(spread(rows_of(file, form=form), under))
    names = [] if first else columns_of(file, form)
    rows = [unwrapped(found.row, under) for found in first if isinstance(found.row, dict)]
    return [dict.fromkeys(names)] if names else rows


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
    has = ", ".join(map(str, sorted(present)))
    other = next((separator for separator in SEPARATORS if len(present) == 1 and separator in has), None)
    return (
        f"{file}: column(s) {', '.join(missing)} are missing from all of its first {len(rows):,} rows; it has {has}."
        f"{f' Its separator seems to be {other!r}: set dataset.messages.separator.' if other else ''}"
    )


def absent(rows: Sequence[Row], columns: Iterable[Column], usual: Collection[str] = ()) -> list[Column]:
    """Return the columns that a file should have and none of its first rows has; see `column_problems`."""
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
    """Return what is wrong with the columns of a file, a sentence each.

    Parameters
    ----------
    file : Path
    rows : sequence of dict
        Its first rows.
    columns : sequence of Column
    usual : collection of str
        Columns that are not required and that earlier files like this one had.
    """
    missing = missing_columns(file, rows, [tuple(column.reads) for column in absent(rows, columns, usual)])
    return ([missing] if missing else []) + [
        problem
        for column in columns
        for name, reads in column.reads.items()
        if (problem := _type_problem(file, rows, name, reads, column))
    ]


def _type_problem(
    file: Path, rows: Sequence[Row], name: str, reads: Callable[[Any], bool], column: Column
) -> str | None:
    found = (row.get(name) for row in rows)
    values = [value for value in found if not (value is None or value is pd.NaT or value != value or value == "")]
    # a look at one readable value is enough: single rows that are not go to quarantine
    if len(values) < LEAST_ROWS or any(map(reads, values)):
        return None
    types = ", ".join(sorted({type(value).__name__ for value in values}))
    advice = column.advice(name, values) if column.advice else ""
    return (
        f"{file}: column {name} has no {column.what} in its first {len(rows):,} rows: none of its {len(values):,} "
        f"values ({types}) can be read as such. {advice}".rstrip()
    )


def refuse(problems: Sequence[str], advice: Iterable[str] = ()) -> None:
    """Raise an error that names all problems with the schema at once, and what to do; without any, do nothing.

    Raises
    ------
    DataError
    """
    if not problems:
        return
    if len(problems) == 1:
        raise DataError(" ".join([problems[0], *advice]))
    first = " ".join([f"{len(problems)} problems with columns; nothing was read.", *advice])
    raise DataError("\n- ".join([first, *problems]))
