"""Raw files as numbered rows: JSON lines, CSV and parquet, also compressed, read without trust in any of them.

JSON lines and CSV are read line by line here and not by DuckDB: its readers either stop at a broken line or drop it
without saying which it was, and every message must be accounted for.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from batch_nlp.errors import DataError
from batch_nlp.storage.raw_csv import csv_rows
from batch_nlp.storage.raw_lines import (
    BYTE_ORDER_MARK,
    KEPT_BYTES,
    LINE_BYTES,
    BrokenRow,
    Line,
    Numbered,
    Row,
    read_lines,
    shown,
    too_long,
)


def rows_of(file: Path, batch_rows: int = 1000) -> Iterator[Numbered]:
    """Yield the rows of a file in their order.

    Parameters
    ----------
    file : Path
        With one of the known endings.
    batch_rows : int
        Rows of a parquet file to decode at a time.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    try:
        if file.suffix == ".parquet":
            yield from _parquet_rows(file, batch_rows)
            return
        with _open(file) as binary:
            lines = read_lines(binary)
            yield from csv_rows(file, lines) if ".csv" in file.suffixes else _json_rows(lines)
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise DataError(f"{file}: cannot be read ({error}). Put a whole file in its place.") from error


def _open(file: Path) -> IO[bytes]:
    # a GzipFile reads like any binary file, its stub only does not say so
    return cast("IO[bytes]", gzip.open(file, "rb")) if file.suffix == ".gz" else file.open("rb")


def _json_rows(lines: Iterator[Line]) -> Iterator[Numbered]:
    for line in lines:
        number, content, whole = line
        if not whole:
            yield Numbered(number, too_long(line), KEPT_BYTES)
            continue
        # files that were joined have a byte-order mark in their middle too
        stripped = content.removeprefix(BYTE_ORDER_MARK).strip()
        if stripped:
            row = parse_json(stripped)
            found = BrokenRow(number, row, shown(stripped)) if isinstance(row, str) else row
            yield Numbered(number, found, len(content))


def parse_json(line: bytes) -> Row | str:
    """Return the row that a line holds, or the reason why it holds none."""
    reason = "broken JSON: a number of thousands of digits"
    try:
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            reason = f"broken JSON: {error.msg}"
            # orjson refuses lone surrogates, NaN and infinite numbers, which others write
            row = _replace_surrogates(json.loads(line.decode("utf-8")))
        else:
            if isinstance(row, dict) and _has_rounded(row):
                row = json.loads(line)  # orjson rounds whole numbers over 64 bits; ids must stay what they are
    except UnicodeDecodeError:
        return "invalid UTF-8"
    except (ValueError, RecursionError):
        return reason
    return row if isinstance(row, dict) else "not a JSON object"


def _has_rounded(row: Row) -> bool:
    for value in row.values():  # noqa: SIM110 a generator takes twice as long, and this is asked of every row
        if type(value) is float and abs(value) >= 2.0**63:
            return True
    return False


def _replace_surrogates(value: Any) -> Any:
    """Replace lone surrogates, which JSON can write and UTF-8 cannot, by U+FFFD, however deep they are."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_replace_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_replace_surrogates(name): _replace_surrogates(item) for name, item in value.items()}
    return value


def _parquet_rows(file: Path, batch_rows: int) -> Iterator[Numbered]:
    number = 0
    with pq.ParquetFile(file, page_checksum_verification=True) as parquet:
        groups = [parquet.metadata.row_group(group) for group in range(parquet.metadata.num_row_groups)]
        # messages of many megabytes are decoded a few at a time
        size = max((group.total_byte_size // max(group.num_rows, 1) for group in groups), default=0)
        for batch in parquet.iter_batches(max(1, min(batch_rows, LINE_BYTES // max(size, 1)))):
            for row in _plain_rows(batch):
                number += 1
                found = row if isinstance(row, dict) else BrokenRow(number, "invalid UTF-8", row)
                yield Numbered(number, found, size)


def _plain_rows(batch: pa.RecordBatch) -> list[Row | str]:
    """Return rows as Python values, a row with text that is no UTF-8 as one string with its bytes escaped."""
    try:
        rows: list[Row | str] = batch.to_pylist()
    except UnicodeDecodeError:
        if batch.num_rows > 1:
            return [row for position in range(batch.num_rows) for row in _plain_rows(batch.slice(position, 1))]
        texts = [column.cast(pa.binary())[0] for column in batch.columns if pa.types.is_string(column.type)]
        return [",".join(shown(text.as_py() or b"") for text in texts)]
    return rows
