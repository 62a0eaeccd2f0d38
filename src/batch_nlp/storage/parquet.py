"""Parquet files as the system writes and reads them: compressed by zstd, with a checksum per page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from batch_nlp.storage.atomic import put_file, replacing, temporary_name


def parquet_writer(file: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Open a new file for writing."""
    return pq.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True)


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a table, all or nothing."""
    with replacing(path) as temporary, parquet_writer(temporary, table.schema) as writer:
        writer.write_table(table)


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a file for reading; its page checksums are checked."""
    return pq.ParquetFile(path, page_checksum_verification=True)


def stream_parquet(path: Path, batch_rows: int = 10_000) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file, at most `batch_rows` at a time."""
    with open_parquet(path) as file:
        yield from file.iter_batches(batch_rows)


def gathered(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Join batches of one schema until each part has enough rows; only the last part may have fewer.

    Each part becomes a row group: a file with thousands of small row groups takes ten times as long to read.
    """
    waiting, waiting_rows = list[pa.RecordBatch](), 0
    for batch in batches:
        if batch.num_rows:
            waiting.append(batch)
            waiting_rows += batch.num_rows
        if waiting_rows >= rows:
            yield pa.Table.from_batches(waiting)
            waiting, waiting_rows = [], 0
    if waiting:
        yield pa.Table.from_batches(waiting)


class WaitingRows:
    """Rows that wait on disk, under a temporary name beside `path`, until they are published or discarded."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._waiting = path, temporary_name(path)
        self._writer = parquet_writer(self._waiting, schema)

    def add(self, rows: pa.Table) -> None:
        """Append rows."""
        self._writer.write_table(rows)

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows; none can be added any more."""
        self._writer.close()
        yield from stream_parquet(self._waiting)

    def publish(self, path: Path | None = None) -> Path:
        """Durably give the file its final name, by default the one it waits beside, and return that name."""
        self._writer.close()
        target = path or self._path
        target.parent.mkdir(parents=True, exist_ok=True)
        put_file(self._waiting, target)
        return target

    def discard(self) -> None:
        """Remove the file, unless it was published."""
        self._writer.close()
        self._waiting.unlink(missing_ok=True)
