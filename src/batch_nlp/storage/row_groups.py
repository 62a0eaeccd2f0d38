"""Row groups of parquet files that are made of many small ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa


def gathered(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Join batches until they have some rows, the last ones whatever they have.

    Each part is to become a row group: a file of thousands of small ones takes ten times as long to read.

    Parameters
    ----------
    batches : iterable of RecordBatch
        All of one schema; empty ones are passed over.
    rows : int
        Rows that a part has at least.

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
