"""Parquet as numbered rows of Python values; invalid values make a row broken, not the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from batch_nlp.errors import DataError, examples
from batch_nlp.storage.raw.lines import INVALID_UTF_8, LINE_BYTES, BrokenRow, Numbered, Row, shown
from batch_nlp.storage.raw.opening import open_raw


@contextmanager
def opened_parquet(file: Path) -> Iterator[pq.ParquetFile]:
    """Open a parquet file.

    Raises a `DataError` if the file cannot be read, on opening or inside the context, or has duplicate column names.
    """
    try:
        with open_raw(file) as content, pq.ParquetFile(content, page_checksum_verification=True) as parquet:
            names = parquet.schema_arrow.names
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise DataError(
                    f"{file}: cannot be read: duplicate column names {examples(twice)}. Give each column its own name."
                )
            yield parquet
    except (OSError, pa.ArrowException) as error:
        otherwise = ", or rename a text file to end in .csv or .jsonl" if "magic bytes" in str(error) else ""
        raise DataError(f"{file}: cannot be read ({error}). Replace it by a complete file{otherwise}.") from error


def parquet_rows(file: Path, batch_rows: int) -> Iterator[Numbered]:
    """Yield the rows of a file, decoding `batch_rows` at a time; UTF-8 bytes and UUIDs become text."""
    number = 0
    with opened_parquet(file) as parquet:
        other = [field.name for field in parquet.schema_arrow if not _is_plain(field.type)]
        for batch, size in parquet_batches(parquet, batch_rows):
            for row in _plain_rows(batch):
                number += 1
                if other and isinstance(row, dict):
                    row |= {name: _as_text(row[name]) for name in other}
                found = row if isinstance(row, dict) else BrokenRow(number, INVALID_UTF_8, row)
                yield Numbered(number, found, size)


def parquet_batches(parquet: pq.ParquetFile, batch_rows: int = 1000) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Yield the rows of a file in batches, each with the approximate bytes per row."""
    groups = [parquet.metadata.row_group(group) for group in range(parquet.metadata.num_row_groups)]
    # decode only a few long messages at a time
    size = max((group.total_byte_size // max(group.num_rows, 1) for group in groups), default=0)
    for batch in parquet.iter_batches(max(1, min(batch_rows, LINE_BYTES // max(size, 1)))):
        yield batch, size


def _plain_rows(batch: pa.RecordBatch) -> list[Row | str]:
    """Return rows as Python values; a row with invalid UTF-8 becomes a string with escaped bytes."""
    try:
        rows: list[Row | str] = batch.to_pylist()
    except (ValueError, OverflowError):
        if batch.num_rows > 1:
            return [row for position in range(batch.num_rows) for row in _plain_rows(batch.slice(position, 1))]
        try:
            return [{name: _held(column[0]) for name, column in zip(batch.schema.names, batch.columns, strict=True)}]
        except UnicodeDecodeError:
            texts = [column.cast(pa.binary())[0] for column in batch.columns if pa.types.is_string(column.type)]
            return [",".join(shown(text.as_py() or b"") for text in texts)]
    return rows


def _held(value: pa.Scalar[Any]) -> Any:
    """Return a Python value; a time beyond Python's range becomes text."""
    try:
        return value.as_py()
    except UnicodeDecodeError:
        raise
    except (ValueError, OverflowError):
        return value.cast(pa.string()).as_py()


def _is_plain(kind: pa.DataType) -> bool:
    return not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or isinstance(kind, pa.UuidType))


def _as_text(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return value
