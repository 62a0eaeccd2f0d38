"""Read someone's files for a proposal: find them, detect their format, and read their first rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from glob import escape
from itertools import islice
from pathlib import Path

from batch_nlp.errors import DataError, examples
from batch_nlp.onboarding.column_profiles import like_data, profiles
from batch_nlp.onboarding.guess_encoding import find_encoding
from batch_nlp.onboarding.guess_tables import (
    SideTable,
    find_join,
    group_tables,
    has_messages,
    pattern_for_later,
    pattern_of,
    side_table,
    split_tables,
)
from batch_nlp.onboarding.nested_columns import check_nested, fields_beside, wrapping_field
from batch_nlp.onboarding.proposal import GivenColumns
from batch_nlp.storage.raw.column_checks import column_names, first_rows
from batch_nlp.storage.raw.csv_reader import HEADER_AGAIN
from batch_nlp.storage.raw.file_names import (
    ENDINGS_IN_WORDS,
    ending_of,
    find_files,
    find_parts,
    find_unread,
    kind_of,
    table_name,
)
from batch_nlp.storage.raw.formats import CSV, rows_of
from batch_nlp.storage.raw.lines import Row
from batch_nlp.storage.raw.nested_json import expand_lists, unwrap
from batch_nlp.storage.raw.opening import TextForm, unknown_ending
from batch_nlp.storage.raw.separators import repeated_mark

# Maximum number of rows and bytes to read from all files
ROWS, _BYTES = 20_000, 2**28
# Files whose first rows are checked for nested columns
_JUDGED_FILES = 5


@dataclass(frozen=True)
class Source:
    """The files of messages, their format and first rows."""

    folder: Path
    # Pattern of the file names
    pattern: str
    rows: list[Row]
    # Encoding of text files, None for UTF-8
    encoding: str | None = None
    # Separator of a CSV, None to detect it
    separator: str | None = None
    # Field that contains the columns of a row
    under: str | None = None
    side_tables: list[SideTable] = field(default_factory=list)
    # Reasons for folder, pattern and rows
    notes: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_source(path: Path, asked: GivenColumns) -> Source:
    """Read a file, or a folder of files, as a source of messages.

    Raises
    ------
    DataError
        If there is no file, no row can be read, a CSV has no header, or no pattern separates message files from
        others.
    """
    folder, pattern, files = _files(path)
    encoding, problems = find_encoding(files)
    form = TextForm(encoding=encoding)
    mixed = problems[0] if problems and encoding is None else None
    try:
        first = {file: first_rows(file, form=form) for file in files[:_JUDGED_FILES]}
        separator = repeated_mark([row for file, rows in first.items() if kind_of(file) in CSV for row in rows])
        if separator is not None:
            form = replace(form, separator=separator)
            problems.append(f"{separator!r} seems to separate the cells of a row; it is set as messages.separator")
        # other files may be flat
        under = next(filter(None, map(wrapping_field, first.values())), None)
        problems += check_nested(first, under, asked)
        read, twice = _first_rows(files, form, under, problems)
    except DataError as error:
        if mixed is None:
            raise
        # the reader's advice for one file would make others unreadable
        raise DataError(f"{path}: {mixed}.") from error
    asked = asked.of({name for _, rows in read for name in column_names(rows)})
    _check_headers(read, {*(asked.text or ())}, twice)
    tables = group_tables(read)
    messages, others = split_tables(tables, asked.text or ())
    columns = profiles([row for table in messages for row in table.rows])
    side, left_out = list[SideTable](), list[Path]()
    for other in others:
        if (found := find_join(columns, other)) is not None:
            named = pattern_of(folder, other.files, [file for file in files if file not in other.files])
            side.append(side_table(other, named, *found))
            columns = [column for column in columns if column.name != found[1]]
            problems.append(f"{named} joins the messages by {found[1]}; none of its columns are read yet")
        elif not asked.text and has_messages(other, messages):
            messages.append(other)
        else:
            left_out += other.files
    taken = [file for table in messages for file in table.files]
    if left_out:
        pattern = pattern_of(folder, taken, [file for file in files if file not in taken])
        named = examples(file.name for file in left_out)
        problems.append(f"{len(left_out)} file(s) contain no messages and are not read: {named}")
    beside = fields_beside([row for rows in first.values() for row in rows], under)
    notes = {"rows": f"; {examples(beside)} beside it are not read"} if beside else {}
    if pattern != "*" and len({table_name(file, folder) for file in taken}) == 1:
        pattern, notes["pattern"] = pattern_for_later(folder, taken)
    if folder != path:
        notes["folder"] = _folder_of_one(folder, taken)
        problems.append(f"raw_dir is {notes['folder']}")
    rows = [row for table in messages for row in table.rows]
    return Source(folder, pattern, rows, encoding, separator, under, side, notes, problems)


def _folder_of_one(folder: Path, taken: Sequence[Path]) -> str:
    """Return a note that the folder of a file is searched for later files."""
    readable = find_files(folder, "*")
    others = [*(file for file in readable if file not in taken), *find_unread(folder, readable)]
    named = examples(file.name for file in others)
    beside = f"; {len(others)} other file(s) and folder(s) in it are not read: {named}" if others else ""
    return f"the folder of the file, which is searched for later files, too{beside}"


def _files(path: Path) -> tuple[Path, str, list[Path]]:
    """Return the folder of the files, the pattern of their names, and the files."""
    ending = ending_of(path.name)
    if path.is_dir() and not ending and not find_parts(path):
        files = find_files(path, "*")
        if not files:
            raise DataError(f"{path}: no file ends in {ENDINGS_IN_WORDS}. {_what_else(path)}".rstrip())
        return path, "*", files
    if not path.exists() or not (ending or path.is_dir()):
        what = "unknown extension" if path.exists() else "no such file"
        advice = f" {unknown_ending(path)}" if path.is_file() else ""
        raise DataError(f"{path}: {what}. Readable files end in {ENDINGS_IN_WORDS}.{advice}")
    pattern = escape(path.name[: len(path.name) - len(ending)])
    return path.parent, pattern, find_files(path.parent, pattern)


def _what_else(folder: Path) -> str:
    """Return what to do with the content of a folder without readable files."""
    below = sorted(path for path in folder.iterdir() if path.is_dir() and find_files(path, "*"))
    if below:
        names = examples(path.name for path in below)
        return f"Files are in subfolders ({names}). Move them into one folder, or set init.file={below[0]}."
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return f"{files[0].name}: {unknown_ending(files[0])}" if files else ""


def _first_rows(
    files: Sequence[Path], form: TextForm, under: str | None, problems: list[str]
) -> tuple[list[tuple[Path, list[Row]]], set[Path]]:
    """Return the first rows of each file, and the files whose first line is repeated.

    Each file contributes an equal share of rows, so that all layouts are seen.
    """
    read, reasons, size, twice = list[tuple[Path, list[Row]]](), list[str](), 0, set[Path]()
    each = max(1, ROWS // len(files))
    for file in files[:ROWS]:
        rows = list[Row]()
        for found in islice(expand_lists(rows_of(file, form=form), under), each):
            size += found.size
            if isinstance(found.row, dict):
                rows.append(unwrap(found.row, under))
            else:
                reasons.append(f"{file.name}:{found.line}: {found.row.reason}")
                twice |= {file} if found.row.reason == HEADER_AGAIN else set()
            if size > _BYTES:
                break
        read.append((file, rows))
    if not any(rows for _, rows in read):
        where = files[0] if len(files) == 1 else files[0].parent
        why = examples(reasons) or f"{examples([file.name for file in files])} holds no rows"
        raise DataError(f"{where}: no row can be read: {why}.")
    if reasons:
        problems.append(f"{len(reasons):,} row(s) cannot be read: {examples(reasons)}")
    return read, twice


def _check_headers(read: Sequence[tuple[Path, list[Row]]], named: set[str], twice: set[Path]) -> None:
    """Refuse a CSV whose first line is data; the message must not quote the line."""
    for file, rows in read:
        columns = profiles(rows)
        if kind_of(file) not in CSV or not named.isdisjoint(column_names(rows)):
            continue
        if data := like_data(columns, file in twice):
            raise DataError(
                f"{file}: the first line seems to be data ({data} of {len(columns)} cells, not shown). Add a header "
                "line with the column names. If the line is the header, name the column of the text: init.text=COLUMN."
            )
