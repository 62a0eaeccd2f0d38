"""Raw files as numbered rows: JSON lines, CSV and parquet, also compressed, read without trust in any of them.

JSON lines and CSV are read line by line here and not by DuckDB: its readers either stop at a broken line or drop it
without saying which it was, and every message must be accounted for.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import chain, islice, takewhile
from pathlib import Path
from typing import Any

from batch_nlp.errors import DataError
from batch_nlp.storage.raw.csv_reader import read_csv
from batch_nlp.storage.raw.file_names import kind_of, packing_of
from batch_nlp.storage.raw.json_reader import is_spread, json_rows
from batch_nlp.storage.raw.lines import INVALID_UTF_8, PAGES, BrokenRow, Numbered, Row, read_lines
from batch_nlp.storage.raw.opening import DETECTED, TextForm, opened, unpacked
from batch_nlp.storage.raw.parquet_reader import opened_parquet, parquet_batches, parquet_rows

CSV = (".csv", ".tsv")
_CHUNK_BYTES = 1 << 20
_CELLS = re.compile(r"(\d+) cells where the header has (\d+)")
# What may stand between cells, and is not in most texts
_MARKS = re.compile(r"""[^\w\s"'.,:;!?()/&-]|[\x00-\x08\x0e-\x1f]""")
# How much of the start of a file it is judged by
_PEEK_ROWS, _PEEK_BYTES = 1000, 2**24
# Broken rows that are too many for an accident, and those that are if their letters alone are broken
_MANY, _FEW = 20, 3


def rows_of(file: Path, batch_rows: int = 1000, form: TextForm = DETECTED) -> Iterator[Numbered]:
    """Yield the rows of a file in their order.

    Parameters
    ----------
    file : Path
        With one of the known endings.
    batch_rows : int
        Rows of a parquet file to decode at a time.
    form : TextForm
        How a text file is written.

    Raises
    ------
    DataError
        If the file cannot be read, or none of its rows.
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
        raise _unread(file, f"none of its {len(broken):,} rows can be read", broken)


def head(rows: Iterator[Numbered]) -> list[Numbered]:
    """Take from rows of a file those at its start by which it is judged."""
    taken, size = list[Numbered](), 0
    for found in islice(rows, _PEEK_ROWS):
        taken.append(found)
        size += found.size
        if size > _PEEK_BYTES:
            break
    return taken


def _check_head(file: Path, first: Sequence[Numbered]) -> None:
    """Refuse a file so many of whose first rows are broken that this is the fault of the file."""
    rows = [found.row for found in first if isinstance(found.row, dict)]
    broken = [found.row for found in first if isinstance(found.row, BrokenRow)]
    what = f"{len(broken):,} of its first {len(first):,} rows cannot be read"
    if rows and len(broken) >= _MANY and len(broken) > len(rows):
        raise _unread(file, what, broken)
    undecoded = [row for row in broken if row.reason == INVALID_UTF_8]
    # what is damaged alone has other letters that are whole
    if len(undecoded) >= max(_FEW, len(first) / 10) and all(str(row).isascii() for row in rows):
        raise _unread(file, what, undecoded)
    # of several rows like this, each has objects of its own
    if len(rows) == 1 and kind_of(file) not in (*CSV, ".parquet") and _is_by_columns(rows[0]):
        raise DataError(
            f"{file}: cannot be read: it is a table by columns, as pandas writes it. Write an object per row: "
            'to_json(..., orient="records", lines=True).'
        )


def _size(value: Any) -> Any:
    """Return what all columns have alike that are fields of one object; nothing for another value."""
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
    """Read a file to its end, so that nothing of one that breaks off in its middle is taken in.

    Raises
    ------
    DataError
        If the file cannot be read, or none of its rows.
    """
    kind = kind_of(file)
    if kind == ".parquet":
        with opened_parquet(file) as parquet:
            deque(parquet_batches(parquet), maxlen=0)
        return
    with opened(file, form) as binary:
        breaks_off = kind not in CSV and is_spread(binary)
    rows = rows_of(file, form=form)
    # a broken line takes no others with it, a broken object of an array does
    deque(rows if breaks_off else takewhile(lambda found: isinstance(found.row, BrokenRow), rows), maxlen=0)
    if packing_of(file.name):
        with unpacked(file) as content:
            while content.read(_CHUNK_BYTES):
                pass


def columns_of(file: Path, form: TextForm = DETECTED) -> list[str]:
    """Return the columns that a file names even without rows; JSON names none.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
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
        return "It is no text, but binary. Put a whole file in its place."
    if kind == ".parquet":
        return "Write its texts as UTF-8."
    if first.reason == INVALID_UTF_8:
        return "Save it as UTF-8, or say how it is encoded, for example dataset.messages.encoding=cp1252."
    if first.raw.lstrip().lower().startswith(PAGES):
        return "It is a page of a website. Fetch the file itself, logged in if need be."
    if kind in CSV:
        return _likely_cause_in_csv(first)
    if first.raw.startswith("["):
        return "Write one object per line, or an array of objects."
    if first.raw.startswith("{'"):
        return "It is written as Python prints it: write each row by json.dumps."
    if not first.raw.startswith("{"):
        return "If it is a CSV, let its name end in .csv; else write one object per line."
    return "Write one object per line, or an array of objects."


def _likely_cause_in_csv(first: BrokenRow) -> str:
    if '\\"' in first.raw:
        return "Backslashes stand before its quotes, as Spark writes them: double the quotes (in Spark, escape='\"')."
    cells = _CELLS.match(first.reason)
    if cells is None:
        return "Its quotes are not closed, or not doubled in texts: write it with a CSV library."
    if cells[2] == "1":
        [(mark, _)] = Counter(_MARKS.findall(first.raw)).most_common(1) or [("tab", 0)]
        said = " if each line is one text" if mark == "tab" else " if that stands between its cells"
        return (
            "Remove what is above its header, such as a title or a comment, or set "
            f"dataset.messages.separator={mark!r}{said}."
        )
    if int(cells[1]) == int(cells[2]) + 1:
        return (
            "Its header lacks a name, as that of row names in R (write it with row.names=FALSE), or texts hold the "
            "separator without quotes around them."
        )
    return (
        "Its first line is no header (remove a title or a comment), or that of another file, or "
        "dataset.messages.separator is another one than the file's."
    )
