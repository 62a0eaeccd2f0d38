"""Read a raw file of any format (JSON, CSV, parquet, also compressed) as numbered rows.

JSON lines and CSV are not read by DuckDB: it either stops at a broken line or drops it without naming it, and every
message must be accounted for.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import chain, islice, takewhile
from pathlib import Path
from typing import Any

from batch_nlp.errors import DataError, none_readable
from batch_nlp.storage.raw.csv_reader import read_csv
from batch_nlp.storage.raw.file_names import kind_of, packing_of
from batch_nlp.storage.raw.json_reader import is_spread, json_rows
from batch_nlp.storage.raw.lines import INVALID_UTF_8, PAGES, BrokenRow, Numbered, Row, read_lines
from batch_nlp.storage.raw.opening import DETECTED, TextForm, opened, unpacked
from batch_nlp.storage.raw.parquet_reader import opened_parquet, parquet_batches, parquet_rows
from batch_nlp.storage.raw.separators import frequent_mark

CSV = (".csv", ".tsv")
_CHUNK_BYTES = 1 << 20
_CELLS = re.compile(r"(\d+) cells where the header has (\d+)")
# How much of a file's start is checked
_PEEK_ROWS, _PEEK_BYTES = 1000, 2**24
# With so many broken rows, the file is at fault; fewer are enough if their encoding is wrong
_MANY, _FEW = 20, 3


def rows_of(file: Path, batch_rows: int = 1000, form: TextForm = DETECTED) -> Iterator[Numbered]:
    """Yield the rows of a file in order, decoding `batch_rows` of a parquet file at a time.

    Raises a `DataError` if the file, or every row of it, cannot be read.
    """
    rows = _rows(file, batch_rows, form)
    first = head(rows)
    _check_head(file, first)
    broken: list[BrokenRow] = []
    rows = chain(first, rows)
    for found in rows:
        yield found
        if isinstance(found.row, dict):
            yield from rows
            return
        broken.append(found.row)
    if broken:
        raise _unread(file, none_readable(len(broken)), broken)


def head(rows: Iterator[Numbered]) -> list[Numbered]:
    """Take the first rows of a file, by which it is judged."""
    taken, size = list[Numbered](), 0
    for found in islice(rows, _PEEK_ROWS):
        taken.append(found)
        size += found.size
        if size > _PEEK_BYTES:
            break
    return taken


def _check_head(file: Path, first: Sequence[Numbered]) -> None:
    """Refuse a file if so many of its first rows are broken that the whole file must be wrong."""
    rows = [found.row for found in first if isinstance(found.row, dict)]
    broken = [found.row for found in first if isinstance(found.row, BrokenRow)]
    what = f"{len(broken):,} of its first {len(first):,} rows cannot be read"
    if rows and len(broken) >= _MANY and len(broken) > len(rows):
        raise _unread(file, what, broken)
    undecoded = [row for row in broken if row.reason == INVALID_UTF_8]
    # in a file with single damaged characters, other characters beyond ASCII are intact
    if len(undecoded) >= max(_FEW, len(first) / 10) and all(str(row).isascii() for row in rows):
        raise _unread(file, what, undecoded)
    # several such rows are ordinary rows with nested objects
    if len(rows) == 1 and kind_of(file) not in (*CSV, ".parquet") and _is_by_columns(rows[0]):
        raise DataError(
            f"{file}: cannot be read: the table is stored by columns, as pandas writes it. Write one object per row: "
            'to_json(..., orient="records", lines=True).'
        )


def _size(value: Any) -> Any:
    """Return what the columns of a table stored by columns have in common; falsy for other values."""
    if isinstance(value, dict):
        return tuple(value)
    return len(value) if isinstance(value, list) and not any(isinstance(entry, dict) for entry in value) else 0


def _is_by_columns(row: Row) -> bool:
    sizes = [_size(value) for value in row.values()]
    return (len(sizes) > 1 and all(sizes) and len(set(sizes)) == 1) or {"columns", "data"} <= row.keys() <= {
        "columns", "index", "data"
    }  # fmt: skip


def _unread(file: Path, what: str, broken: Sequence[BrokenRow]) -> DataError:
    reason = Counter(row.reason for row in broken).most_common(1)[0][0]
    first = next(row for row in broken if row.reason == reason)
    return DataError(f"{file}: {what} (line {first.line}: {reason}). {_likely_cause(kind_of(file), first)}")


def check_readable(file: Path, form: TextForm = DETECTED) -> None:
    """Read a file to its end, so that no part of a truncated file is ingested; see `rows_of` for errors."""
    kind = kind_of(file)
    if kind == ".parquet":
        with opened_parquet(file) as parquet:
            deque(parquet_batches(parquet), maxlen=0)
        return
    with opened(file, form) as binary:
        breaks_off = kind not in CSV and is_spread(binary)
    rows = rows_of(file, form=form)
    # a broken line affects no other line, but a broken object in an array affects the rest of the file
    deque(rows if breaks_off else takewhile(lambda found: isinstance(found.row, BrokenRow), rows), maxlen=0)
    if packing_of(file.name):
        with unpacked(file) as content:
            while content.read(_CHUNK_BYTES):
                pass


def columns_of(file: Path, form: TextForm = DETECTED) -> list[str]:
    """Return the columns that a file names even if it has no rows, none for JSON; see `rows_of` for errors."""
    kind = kind_of(file)
    if kind == ".parquet":
        with opened_parquet(file) as parquet:
            return list(parquet.schema_arrow.names)
    if kind not in CSV:
        return []
    with opened(file, form) as binary:
        return read_csv(file, read_lines(binary), _separator(kind, form))[0]


def _rows(file: Path, batch_rows: int, form: TextForm) -> Iterator[Numbered]:
    kind = kind_of(file)
    if kind == ".parquet":
        yield from parquet_rows(file, batch_rows)
        return
    with opened(file, form) as binary:
        if kind in CSV:
            yield from read_csv(file, read_lines(binary), _separator(kind, form))[1]
        else:
            yield from json_rows(file, binary)


def _separator(kind: str, form: TextForm) -> str | None:
    return form.separator or ("\t" if kind == ".tsv" else None)


def _likely_cause(kind: str, first: BrokenRow) -> str:
    if "\0" in first.raw:
        return "The content is binary. Replace the file by a text file."
    if kind == ".parquet":
        return "Write the texts as UTF-8."
    if first.reason == INVALID_UTF_8:
        return "Save the file as UTF-8, or set its encoding, for example dataset.messages.encoding=cp1252."
    if first.raw.lstrip().lower().startswith(PAGES):
        return "The file is a web page. Download the file itself, logged in if necessary."
    if kind in CSV:
        return _likely_cause_in_csv(first)
    if first.raw.startswith("["):
        return "Write one object per line, or an array of objects."
    if first.raw.startswith("{'"):
        return "The rows are printed Python objects. Write each row with json.dumps."
    if not first.raw.startswith("{"):
        return "If the file is a CSV, rename it to end in .csv; otherwise write one object per line."
    return "Write one object per line, or an array of objects."


def _likely_cause_in_csv(first: BrokenRow) -> str:
    if '\\"' in first.raw:
        return "Quotes are escaped with backslashes, as Spark does. Double the quotes instead (in Spark, escape='\"')."
    cells = _CELLS.match(first.reason)
    if cells is None:
        return "Quotes are not closed, or not doubled within texts. Write the file with a CSV library."
    if cells[2] == "1":
        mark = frequent_mark(first.raw) or "tab"
        said = " if each line is one text" if mark == "tab" else " if that separates the cells"
        return (
            "Remove everything above the header, such as a title or a comment, or set "
            f"dataset.messages.separator={mark!r}{said}."
        )
    if int(cells[1]) == int(cells[2]) + 1:
        return (
            "The header lacks a name (in R, write the file with row.names=FALSE), or texts that contain the separator "
            "are not quoted."
        )
    return (
        "The first line is not the header (remove a title or a comment), or belongs to another file, or "
        "dataset.messages.separator is not the separator of this file."
    )
