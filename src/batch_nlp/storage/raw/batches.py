"""Read raw files as batches of rows, each row with its file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from loguru import logger
from numpy.typing import NDArray

from batch_nlp.storage.quarantine import SOURCE_FILE, SOURCE_LINE
from batch_nlp.storage.raw.column_checks import column_names, listed, missing_columns, refuse
from batch_nlp.storage.raw.file_names import source_name
from batch_nlp.storage.raw.formats import head, rows_of
from batch_nlp.storage.raw.lines import LINE_BYTES, BrokenRow, Row
from batch_nlp.storage.raw.nested_json import expand_lists, unwrap
from batch_nlp.storage.raw.opening import DETECTED, TextForm

# Long messages end a batch early, so that memory stays bounded
_BATCH_BYTES = 2 * LINE_BYTES
# File name, line, and the row
_Sourced = tuple[str, int, Row | BrokenRow]


@dataclass(frozen=True)
class RawBatch:
    """A batch of rows in file order; small files share a batch.

    `rows` has an object column per requested column, then `source_file` and `source_line`. `broken` has the lines that
    are not valid rows, each with the name of its file; `whole` each row with all columns of the source, and is empty if
    only `rows` is known. `left_out` counts the rows that the dataset's condition leaves out.
    """

    rows: pd.DataFrame
    broken: list[tuple[str, BrokenRow]]
    whole: list[Row] = field(default_factory=list)
    left_out: int = 0


def _chunks(
    files: Iterable[Path],
    required: Sequence[str],
    named: set[str],
    known: set[str] | None,
    batch_rows: int,
    under: str | None,
    form: TextForm,
) -> Iterator[list[_Sourced]]:
    """Yield the rows of files in chunks of batch size; the first rows of each file are checked for its columns."""
    chunk: list[_Sourced] = []
    size = 0
    for file in files:
        rows = expand_lists(rows_of(file, batch_rows, form), under)
        first = head(rows)
        start = [unwrap(found.row, under) for found in first if isinstance(found.row, dict)]
        if problem := missing_columns(file, start, required, named):
            refuse([problem], ["If the source renamed a column, restore the old name in the file."])
        name = source_name(file)
        if known is not None and (extra := column_names(start) - known):
            logger.warning("{}: {} undeclared column(s) are not read: {}", name, len(extra), listed(extra))
            known |= extra  # warn once per column, not once per file
        for line, row, length in chain(first, rows):
            chunk.append((name, line, row))
            size += length
            if len(chunk) == batch_rows or size > _BATCH_BYTES:
                yield chunk
                chunk, size = [], 0
    if chunk:
        yield chunk


def read_batches(
    files: Iterable[Path],
    required: Sequence[str],
    optional: Sequence[str],
    batch_rows: int,
    ignored: Sequence[str] | None = None,
    under: str | None = None,
    keeps: Callable[[list[Row]], NDArray[np.bool_]] | None = None,
    form: TextForm = DETECTED,
) -> Iterator[RawBatch]:
    """Read files as batches of rows; memory depends only on the batch size.

    Small files share batches, so a batch costs the same however its rows are spread over files. Every batch but the
    last is full.

    Parameters
    ----------
    required, optional : sequences of str
        Columns to return. An optional column missing from a file is null.
    batch_rows : int
        Maximum number of rows per batch, including broken ones.
    ignored : sequence of str, optional
        Known columns that are not returned. Any other column is warned about once; None disables the warning.
    under : str, optional
        Field that contains the columns of a row. Rows without it are read as they are.
    keeps : callable, optional
        Selects the rows that are messages; the others are counted and left out.

    Raises
    ------
    DataError
        If a file cannot be read, or a required column is missing from all of its first rows.
    """
    columns = [*required, *optional]
    known = None if ignored is None else {*columns, *ignored}
    for chunk in _chunks(files, required, {*columns, *(ignored or ())}, known, batch_rows, under, form):
        rows = [(name, line, row) for name, line, row in chunk if isinstance(row, dict)]
        read = len(rows)
        if keeps is not None and rows:
            kept = keeps([unwrap(row, under) for _, _, row in rows])
            rows = [row for row, keep in zip(rows, kept, strict=True) if keep]
        plain = [unwrap(row, under) for _, _, row in rows] if under else [row for _, _, row in rows]
        data: dict[str, Any] = {name: pd.Series([row.get(name) for row in plain], dtype=object) for name in columns}
        data[SOURCE_FILE] = pd.Series([name for name, _, _ in rows], dtype=object)
        data[SOURCE_LINE] = pd.Series([line for _, line, _ in rows], dtype="int64")
        broken = [(name, row) for name, _, row in chunk if isinstance(row, BrokenRow)]
        yield RawBatch(pd.DataFrame(data), broken, [row for _, _, row in rows], read - len(rows))
