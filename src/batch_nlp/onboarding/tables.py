"""The first rows of someone's files, and which of the files hold messages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from glob import escape
from itertools import islice, takewhile
from pathlib import Path

from batch_nlp.dataset.values import as_key
from batch_nlp.errors import DataError, examples
from batch_nlp.onboarding.choices import Asked
from batch_nlp.onboarding.columns import ColumnProfile, profiles, text_columns, text_score
from batch_nlp.onboarding.encoding import find_encoding
from batch_nlp.storage.raw_columns import first_rows, spread, unwrapped
from batch_nlp.storage.raw_formats import rows_of
from batch_nlp.storage.raw_lines import Numbered, Row
from batch_nlp.storage.raw_names import ENDINGS_IN_WORDS, ending_of, find_files, find_parts, table_name
from batch_nlp.storage.raw_open import TextForm

# Rows that are looked at, and their bytes, of all files together
ROWS, _BYTES = 20_000, 2**28
# Files of which the first rows say whether columns lie under a field
_JUDGED_FILES = 5
# Share of the values of a column that must be keys of a table that is to join it, where their names are not the same
_JOINING = 0.5


@dataclass(frozen=True)
class Table:
    """Files with the same columns, and their first rows."""

    files: list[Path]
    rows: list[Row]


@dataclass(frozen=True)
class SideTable:
    """A table that a column of the messages joins.

    Parameters
    ----------
    name, files, key : str
        As in the dataset's file.
    column : str
        Of the messages.
    columns : list of ColumnProfile
        The others of the table.
    """

    name: str
    files: str
    key: str
    column: str
    columns: list[ColumnProfile]


@dataclass(frozen=True)
class Source:
    """Where messages are, how they are written, and their first rows.

    Parameters
    ----------
    folder : Path
    pattern : str
        Of the names of the files.
    rows : list of dict
    encoding : str or None
        Of the text files, None for UTF-8.
    under : str or None
        Field under which the columns of a row lie.
    side_tables : list of SideTable
    problems : list of str
    """

    folder: Path
    pattern: str
    rows: list[Row]
    encoding: str | None = None
    under: str | None = None
    side_tables: list[SideTable] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def look_at(path: Path, asked: Asked) -> Source:
    """Return the source that a file is, or a folder of files.

    Raises
    ------
    DataError
        If there is no file, none of its rows can be read, or no pattern parts the messages from other files.
    """
    folder, pattern, files = _files(path)
    encoding, problems = find_encoding(files)
    form = TextForm(encoding=encoding)
    under = _wrapper([row for file in files[:_JUDGED_FILES] for row in first_rows(file, form=form)])
    tables = _tables(_first_rows(files, form, under, problems))
    messages, others = _parted(tables, asked)
    rows = [row for table in messages for row in table.rows]
    columns = profiles(rows)
    side, left_out = list[SideTable](), list[Path]()
    for other in others:
        if joined := _joined(columns, other, _pattern(folder, other.files, [*_of(messages), *_of(others, other)])):
            side.append(joined)
            problems.append(f"{joined.files} joins the messages by {joined.column}; none of its columns is read yet")
        elif not _holds_labels(other, columns):
            left_out += other.files
    if left_out:
        pattern = _pattern(folder, _of(messages), _of(others))
        problems.append(f"{len(left_out)} files hold no messages and are not read: {_names(left_out)}")
    return Source(folder, pattern, rows, encoding, under, side, problems)


def _files(path: Path) -> tuple[Path, str, list[Path]]:
    """Return the folder of the files to look at, the pattern of their names, and the files."""
    ending = ending_of(path.name)
    if path.is_dir() and not ending and not find_parts(path):
        files = find_files(path, "*")
        if not files:
            raise DataError(f"{path}: no file in it ends in {ENDINGS_IN_WORDS}.")
        return path, "*", files
    if not path.exists() or not (ending or path.is_dir()):
        what = "its ending is not known" if path.exists() else "there is no such file"
        raise DataError(f"{path}: {what}. Files that end in {ENDINGS_IN_WORDS} are read.")
    pattern = escape(path.name[: len(path.name) - len(ending)])
    return path.parent, pattern, find_files(path.parent, pattern)


def _first_rows(
    files: Sequence[Path], form: TextForm, under: str | None, problems: list[str]
) -> list[tuple[Path, list[Row]]]:
    """Return as many rows of each file as are looked at; files of another layout have their share."""
    read, reasons, size = list[tuple[Path, list[Row]]](), list[str](), 0
    each = max(1, ROWS // len(files))
    for file in files[:ROWS]:
        rows = list[Row]()
        for found in islice(spread(rows_of(file, form=form), under), each):
            size += found.size
            if isinstance(found.row, dict):
                rows.append(unwrapped(found.row, under))
            else:
                reasons.append(f"{file.name}:{found.line}: {found.row.reason}")
            if size > _BYTES:
                break
        read.append((file, rows))
    if not any(rows for _, rows in read):
        raise DataError(f"{files[0].parent}: no row can be read: {examples(reasons) or 'the files are empty'}.")
    if reasons:
        problems.append(f"{len(reasons):,} rows cannot be read: {examples(reasons)}")
    return read


def _wrapper(rows: Sequence[Row]) -> str | None:
    """Return the field under which nearly every row has its columns, or a list of rows, and no text beside it."""
    held = Counter(name for row in rows for name, value in row.items() if isinstance(value, dict | list) and value)
    usual = [name for name, count in held.items() if count >= 0.9 * len(rows)]
    if not usual or text_columns(profiles(rows)):
        return None
    whole = [Numbered(number, row, 0) for number, row in enumerate(rows)]
    for name in usual:
        inner = [unwrapped(row, name) for _, row, _ in spread(iter(whole), name) if isinstance(row, dict)]
        if text_columns(profiles(inner)):
            return name
    return None


def _tables(read: Sequence[tuple[Path, list[Row]]]) -> list[Table]:
    """Put files together whose columns are the same, but for columns that few rows have."""
    found: list[tuple[set[str], Table]] = []
    for file, rows in read:
        names = set().union(*rows)
        # JSON leaves out what is missing: one file's columns may be some of another's
        known, table = next((one for one in found if names <= one[0] or names >= one[0]), (None, Table([], [])))
        if known is None:
            found.append((names, table))
        else:
            known.update(names)
        table.files.append(file)
        table.rows.extend(rows)
    return [table for _, table in found]


def _parted(tables: Sequence[Table], asked: Asked) -> tuple[list[Table], list[Table]]:
    """Return the tables of messages and the others: those whose texts are neither called nor named like theirs."""
    if len(tables) == 1:
        return [*tables], []
    texts = [text_columns(profiles(table.rows)) for table in tables]
    scores = [max(map(text_score, columns), default=0.0) for columns in texts]
    main = {column.name for column in texts[scores.index(max(scores))]}
    if asked.text:
        main = {*asked.text}
    parted: tuple[list[Table], list[Table]] = ([], [])
    for table, columns in zip(tables, texts, strict=True):
        is_like = not main.isdisjoint(set().union(*table.rows[:1000])) or (
            not asked.text and any(column.is_named("text") for column in columns)
        )
        parted[0 if is_like else 1].append(table)
    return parted if parted[0] else ([*tables], [])


def _joined(columns: Sequence[ColumnProfile], table: Table, files: str) -> SideTable | None:
    """Return a table as what joins the messages, None where no column of theirs has its keys."""
    theirs = profiles(table.rows)
    for key in theirs:
        keys = {as_key(value) for value in key.there if not isinstance(value, list | dict)}
        if len(keys) < len(key.values) or len(keys) < 2:
            continue
        for column in sorted(columns, key=lambda column: column.name != key.name):
            values = [as_key(value) for value in column.there if not isinstance(value, list | dict)]
            share = sum(value in keys for value in values) / max(len(column.there), 1)
            if share >= _JOINING or (share and column.name == key.name):
                name = re.sub(r"\W+|_(?:id|key|uuid)$", "", key.name.casefold()) or "side"
                others = [one for one in theirs if one is not key]
                return SideTable(name, files, key.name, column.name, others) if others else None
    return None


def _holds_labels(table: Table, columns: Sequence[ColumnProfile]) -> bool:
    """Say whether rows have but an id and a label of the messages, as labels do that come later."""
    names = set().union(*table.rows)
    return 2 <= len(names) <= 3 and names <= {column.name for column in columns}


def _of(tables: Sequence[Table], without: Table | None = None) -> list[Path]:
    return [file for table in tables if table is not without for file in table.files]


def _names(files: Sequence[Path]) -> str:
    return examples(file.name for file in files)


def _pattern(folder: Path, wanted: Sequence[Path], others: Sequence[Path]) -> str:
    """Return a pattern of the names of some files that fits no other's."""
    names, theirs = ([_stem(table_name(file, folder)) for file in files] for files in (wanted, others))
    start = _common(names)
    end = _common([name[len(start) :][::-1] for name in names])[::-1]
    pattern = escape(names[0]) if len({*names}) == 1 else f"{escape(start)}*{escape(end)}"
    if any(fnmatchcase(name, pattern) for name in theirs):
        raise DataError(
            f"{folder}: files of messages and others ({_names(others)}) cannot be told apart by their names. Move "
            "them to a folder of their own, or name one file: init.file=FILE."
        )
    return pattern


def _common(names: Sequence[str]) -> str:
    return "".join(same[0] for same in takewhile(lambda letters: len({*letters}) == 1, zip(*names, strict=False)))


def _stem(name: str) -> str:
    return name[: len(name) - len(ending_of(name))]
