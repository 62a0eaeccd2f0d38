"""Row groups of parquet files that are merged from many small files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa


def gathered(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Join batches until each part has enough rows; only the last part may have fewer.

    Each part becomes a row group: a file with thousands of small row groups takes ten times as long to read.

    Parameters
    ----------
    batches : iterable of RecordBatch
        All of one schema; empty ones are skipped.
    rows : int
        Minimum number of rows per part.

    Yields
    ------
    Table
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
