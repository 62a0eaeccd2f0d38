"""Raw files as batches of rows, each row with the file and line that it came from.

JSON lines and CSV are read line by line here and not by DuckDB: its readers either stop at a broken line or drop it
without saying which it was, and every message must be accounted for.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, cast

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from loguru import logger

from batch_nlp.errors import DataError

ENDINGS = (".json", ".json.gz", ".jsonl", ".jsonl.gz", ".csv", ".csv.gz", ".parquet")
SOURCE_FILE, SOURCE_LINE = "source_file", "source_line"

Row = dict[str, Any]


@dataclass(frozen=True)
class BrokenRow:
    """A line that is no row.

    Parameters
    ----------
    line : int
        Line in the file, from 1 (for CSV the last line of the record).
    reason : str
        What is wrong with it.
    raw : str
        The line itself, with undecodable bytes escaped.
    """

    line: int
    reason: str
    raw: str


@dataclass(frozen=True)
class RawBatch:
    """Rows of one file, in its order.

    Parameters
    ----------
    file : Path
        The file.
    rows : DataFrame
        One object column for each column asked for, then `source_file` and `source_line`.
    broken : list of BrokenRow
        Lines between them that are no rows.
    """

    file: Path
    rows: pd.DataFrame
    broken: list[BrokenRow]


def find_files(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a table, sorted by name.

    Parameters
    ----------
    folder : Path
        Where to look; not below it.
    pattern : str
        Pattern of the file name without its ending, for example ``*review*``.

    Returns
    -------
    list of Path
        Files with one of the known endings; hidden and temporary ones are left out.
    """
    if not folder.is_dir():
        return []
    found = {path for ending in ENDINGS for path in folder.glob(pattern + ending)}
    return sorted(path for path in found if path.is_file() and not path.name.startswith("."))


def _open(file: Path) -> IO[bytes]:
    # a GzipFile reads like any binary file, its stub only does not say so
    return cast("IO[bytes]", gzip.open(file, "rb")) if file.suffix == ".gz" else file.open("rb")


def _replace_surrogates(value: Any) -> Any:
    """Replace lone surrogates, which JSON can write and UTF-8 cannot, by U+FFFD, however deep they are."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_replace_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_replace_surrogates(name): _replace_surrogates(item) for name, item in value.items()}
    return value


def _parse_json(line: bytes) -> Row | str:
    """Return the row, or the reason why there is none."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        try:  # orjson refuses lone surrogates, NaN and integers over 64 bits, which others write
            text = line.decode("utf-8")
            row = _replace_surrogates(json.loads(text))
        except UnicodeDecodeError:
            return "invalid UTF-8"
        except (ValueError, RecursionError):
            return f"broken JSON: {error.msg}"
    return row if isinstance(row, dict) else "not a JSON object"


def _json_lines(file: Path) -> Iterator[tuple[int, Row | BrokenRow]]:
    with _open(file) as lines:
        for number, line in enumerate(lines, start=1):
            content = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
            if not content:
                continue
            row = _parse_json(content)
            if isinstance(row, str):
                yield number, BrokenRow(number, row, content.decode("utf-8", "backslashreplace"))
            else:
                yield number, row


def _csv_rows(file: Path) -> Iterator[tuple[int, Row | BrokenRow]]:
    csv.field_size_limit(sys.maxsize)
    with _open(file) as binary:
        # the mark goes before the cells are told apart, since it would hide the quote of the first one
        start = binary.readline().removeprefix(b"\xef\xbb\xbf")
        reader = csv.reader(line.decode("utf-8", "surrogateescape") for line in chain([start], binary))
        header = [name.strip() for name in next(reader, [])]
        if len(set(header)) < len(header):
            raise DataError(f"{file}: the header names a column twice: {', '.join(header)}")
        for cells in reader:
            if not cells:
                continue
            reason = None
            if len(cells) != len(header):
                reason = f"{len(cells)} cells where the header has {len(header)}"
            elif any("\udc80" <= char <= "\udcff" for cell in cells if not cell.isascii() for char in cell):
                reason = "invalid UTF-8"
            if reason:
                raw = ",".join(cells).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
                yield reader.line_num, BrokenRow(reader.line_num, reason, raw)
            else:
                # an empty cell is how CSV writes "nothing"
                yield reader.line_num, {key: cell or None for key, cell in zip(header, cells, strict=True)}


def _plain_rows(batch: pa.RecordBatch) -> list[Row | str]:
    """Return rows as Python values, a row with text that is no UTF-8 as one string with its bytes escaped."""
    try:
        rows: list[Row | str] = batch.to_pylist()
    except UnicodeDecodeError:
        if batch.num_rows > 1:
            return [row for position in range(batch.num_rows) for row in _plain_rows(batch.slice(position, 1))]
        texts = [column.cast(pa.binary())[0] for column in batch.columns if pa.types.is_string(column.type)]
        return [",".join((text.as_py() or b"").decode("utf-8", "backslashreplace") for text in texts)]
    return rows


def _parquet_rows(file: Path, batch_rows: int) -> Iterator[tuple[int, Row | BrokenRow]]:
    number = 0
    with pq.ParquetFile(file, page_checksum_verification=True) as parquet:
        for batch in parquet.iter_batches(batch_rows):
            for row in _plain_rows(batch):
                number += 1
                yield number, row if isinstance(row, dict) else BrokenRow(number, "invalid UTF-8", row)


def _rows(file: Path, batch_rows: int) -> Iterator[tuple[int, Row | BrokenRow]]:
    if file.suffix == ".parquet":
        return _parquet_rows(file, batch_rows)
    return _csv_rows(file) if ".csv" in file.suffixes else _json_lines(file)


def _check_columns(file: Path, rows: list[Row], required: Sequence[str], known: set[str] | None) -> None:
    present = set().union(*rows)
    missing = [column for column in required if column not in present]
    if missing:
        raise DataError(
            f"{file}: column(s) {', '.join(missing)} are missing from all of its first {len(rows):,} rows; it has "
            f"{', '.join(sorted(present))}. If the source renamed them, say so in dataset.columns."
        )
    extra = sorted(present - known) if known is not None else []
    if extra:
        logger.warning("{}: {} unknown column(s) are not read: {}", file.name, len(extra), ", ".join(extra))


def _chunks(file: Path, batch_rows: int) -> Iterator[list[tuple[int, Row | BrokenRow]]]:
    try:
        numbered = _rows(file, batch_rows)
        while chunk := list(islice(numbered, batch_rows)):
            yield chunk
    except (OSError, EOFError, zlib.error, pa.ArrowException, csv.Error) as error:
        raise DataError(f"{file}: cannot be read ({error}). Put a whole file in its place.") from error


def read_batches(
    files: Iterable[Path],
    required: Sequence[str],
    optional: Sequence[str],
    batch_rows: int,
    ignored: Sequence[str] | None = None,
) -> Iterator[RawBatch]:
    """Read files as batches of rows; memory depends on the size of a batch alone.

    Parameters
    ----------
    files : iterable of Path
        Files with one of the known endings.
    required, optional : sequences of str
        Columns to return; an optional one that a file lacks is all null.
    batch_rows : int
        Rows in a batch, broken ones included.
    ignored : sequence of str, optional
        Columns that are known and not returned; any other brings a warning. Without it none does.

    Yields
    ------
    RawBatch
        A file without rows yields none.

    Raises
    ------
    DataError
        If a file cannot be read, or none of its first rows has a required column.
    """
    columns = [*required, *optional]
    known = None if ignored is None else {*columns, *ignored}
    for file in files:
        checked = False
        for chunk in _chunks(file, batch_rows):
            rows = [(line, row) for line, row in chunk if not isinstance(row, BrokenRow)]
            if rows and not checked:
                _check_columns(file, [row for _, row in rows], required, known)
                checked = True
            data: dict[str, Any] = {
                name: pd.Series([row.get(name) for _, row in rows], dtype=object) for name in columns
            }
            data |= {SOURCE_FILE: file.name, SOURCE_LINE: pd.Series([line for line, _ in rows], dtype="int64")}
            yield RawBatch(file, pd.DataFrame(data), [row for _, row in chunk if isinstance(row, BrokenRow)])
