"""Whether raw files have the columns that they should: a changed schema is refused whole, before any work."""

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
from batch_nlp.storage.raw.nested_json import spread, unwrapped
from batch_nlp.storage.raw.opening import DETECTED, TextForm
from batch_nlp.storage.raw.separators import SEPARATORS

# Columns that a person reads
_LISTED = 20
_SEPARATED = re.compile(f"[{re.escape(''.join(SEPARATORS))}]")
# What else may separate names: not what is in them
_UNUSUAL = re.compile(r"[^\w\s\"'.-]|[\x00-\x1f]")
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
    mixed : callable, optional
        Says of the name of a column and values of it, some of which can be read, what to do about the others;
        nothing if they are strays.
    """

    reads: Mapping[str, Callable[[Any], bool]]
    what: str
    required: bool = False
    advice: Callable[[str, Sequence[Any]], str] | None = None
    mixed: Callable[[str, Sequence[Any]], str] | None = None


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


def listed(names: Iterable[object]) -> str:
    """Return the names of columns of a file, as many as a person reads."""
    found = sorted(map(str, names))
    return examples(found, _LISTED) + ", ..." * (len(found) > _LISTED)


def has_header(file: Path, rows: Sequence[Row], known: Iterable[str]) -> bool:
    """Say whether the names of a file's columns can be told: the first line of a CSV without a header is a message.

    Parameters
    ----------
    file : Path
    rows : sequence of dict
    known : iterable of str
        Names of which a header has at least one, perhaps by another separator.
    """
    present = map(str, column_names(rows))
    names = {part.strip() for name in present for part in _SEPARATED.split(name)} | column_names(rows)
    return kind_of(file) not in CSV or not names.isdisjoint(known) or _unusual_separator(rows, known) is not None


def other_separator(rows: Sequence[Row], known: Iterable[str]) -> str | None:
    """Return what seems to stand between the cells of a file that was read as one column; None for any other file."""
    names = listed(column_names(rows)) if len(column_names(rows)) == 1 else ""
    return _unusual_separator(rows, known) or next((separator for separator in SEPARATORS if separator in names), None)


def _unusual_separator(rows: Sequence[Row], known: Iterable[str]) -> str | None:
    """Return what separates known names in the only name of a file; None where it has others, or less than two."""
    [name, *others] = map(str, column_names(rows) or {""})
    names = set() if others else set(known)
    separators = dict.fromkeys(_UNUSUAL.findall(name))
    return next((one for one in separators if len(names.intersection(map(str.strip, name.split(one)))) > 1), None)


def missing_columns(
    file: Path, rows: Sequence[Row], wanted: Iterable[str | tuple[str, ...]], known: Collection[str]
) -> str | None:
    """Return what is to be said of columns that none of a file's first rows has; None where all are there.

    Parameters
    ----------
    file : Path
    rows : sequence of dict
    wanted : iterable of str or tuple of str
        Of a tuple, one is enough.
    known : collection of str
        All names that columns of the table have.
    """
    present = column_names(rows)
    alternatives = [(names,) if isinstance(names, str) else names for names in wanted]
    missing = [" or ".join(names) for names in alternatives if not present & set(names)]
    if not rows or not missing:
        return None
    if not has_header(file, rows, known):
        return (
            f"{file}: column(s) {', '.join(missing)} are missing, and so is every other known one. Its first line "
            f"seems to be a row of data (of {len(present)} cells, which are not shown): put a line with the names of "
            "the columns before it, or declare these columns if they are names."
        )
    other = other_separator(rows, known)
    return (
        f"{file}: column(s) {', '.join(missing)} are missing from all of its first {len(rows):,} rows; it has "
        f"{listed(present)}."
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
    known = {name for column in columns for name in column.reads}
    missing = missing_columns(file, rows, [tuple(column.reads) for column in absent(rows, columns, usual)], known)
    return ([missing] if missing else []) + [
        problem for column in columns for problem in type_problems(str(file), rows, column)
    ]


def type_problems(file: str, rows: Sequence[Row], column: Column) -> list[str]:
    """Return what is wrong with the values of a column in rows of a file, or of several."""
    problems, of_few, there = list[str](), list[str](), 0
    for name, reads in column.reads.items():
        found = (row.get(name) for row in rows)
        values = [value for value in found if not (value is None or value is pd.NaT or value != value or value == "")]
        there += bool(values)
        few = len(values) < LEAST_ROWS
        # a look at one readable value is enough: single rows that are not go to quarantine
        if not values:
            continue
        if any(map(reads, values)) or (few and any(map(reads, _texts(values)))):
            if column.mixed and (said := column.mixed(name, values)):
                problems.append(f"{file}: column {name}: {said}")
            continue
        types = ", ".join(sorted({type(value).__name__ for value in values}))
        advice = column.advice(name, values) if column.advice else ""
        (of_few if few else problems).append(
            f"{file}: column {name} has no {column.what} in its first {len(rows):,} rows: none of its {len(values):,} "
            f"values ({types}) can be read as such. {advice}".rstrip()
        )
    # of few rows this is no accident where it would leave none of them
    none_left = column.required and len(problems) + len(of_few) == there
    return problems + (of_few if none_left else [])


def _texts(values: Iterable[Any]) -> list[Any]:
    """Return values with numbers as text: a few of them may be texts."""
    return [str(value) if type(value) in (int, float, Decimal) else value for value in values]


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
