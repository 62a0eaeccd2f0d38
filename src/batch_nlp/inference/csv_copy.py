"""Write a CSV copy of predictions beside the parquet file, which stays the record.

UTF-8 and RFC 4180: values with commas, quotes or line ends are quoted, and lines end in CR LF. Values are not changed,
even if a spreadsheet would read them as formulas: a changed id would match no message.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pyarrow as pa

from batch_nlp.storage.parquet import open_parquet
from batch_nlp.storage.seal import check_file, replacing_sealed

CSV = ".csv"


def write_csv_beside(record: Path, rows: int) -> Path:
    """Write a parquet file of predictions as a sealed CSV file of the same name, `rows` at a time, and return its path.

    Raises a `DataError` if the parquet file is damaged.
    """
    check_file(record)
    target = record.with_suffix(CSV)
    with (
        open_parquet(record) as parquet,
        replacing_sealed(target) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(parquet.schema_arrow.names)
        for batch in parquet.iter_batches(rows):
            writer.writerows(zip(*map(_values, batch.columns), strict=True))
    return target


def _values(column: pa.Array) -> list[Any]:
    values = column.to_pylist()
    return [value.isoformat() for value in values] if pa.types.is_timestamp(column.type) else values
