"""Raw files as batches of rows, each row with the file and line that it came from."""

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
from batch_nlp.storage.raw.nested_json import spread, unwrapped
from batch_nlp.storage.raw.opening import DETECTED, TextForm

# A batch ends here too, so that memory does not grow with the length of messages
_BATCH_BYTES = 2 * LINE_BYTES
# A row with the name of its file and its line there
_Sourced = tuple[str, int, Row | BrokenRow]


@dataclass(frozen=True)
class RawBatch:
    """Rows in the order of the files, of one or of several small ones.

    Parameters
    ----------
    rows : DataFrame
        One object column for each column asked for, then `source_file` and `source_line`.
    broken : list of tuple of str and BrokenRow
        Lines between them that are no rows, each with the name of its file.
    whole : list of dict
        Each row with all its columns, as the source has it; empty where only `rows` is known.
    left_out : int
        Rows that are none of the messages.
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
    """Yield the rows of files, each file after a look at the columns of its first rows, in chunks of a batch."""
    chunk: list[_Sourced] = []
    size = 0
    for file in files:
        rows = spread(rows_of(file, batch_rows, form), under)
        first = head(rows)
        start = [unwrapped(found.row, under) for found in first if isinstance(found.row, dict)]
        if problem := missing_columns(file, start, required, named):
            refuse([problem], ["If the source renamed a column, rename it back in the file."])
        name = source_name(file)
        if known is not None and (extra := column_names(start) - known):
            logger.warning("{}: {} undeclared column(s) are not read: {}", name, len(extra), listed(extra))
            known |= extra  # once for all files like this one
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
    """Read files as batches of rows; memory depends on the size of a batch alone.

    Small files share batches: what a batch costs does not depend on how its rows are spread over files.

    Parameters
    ----------
    files : iterable of Path
        Files with one of the known endings.
    required, optional : sequences of str
        Columns to return; an optional one that a file lacks is all null.
    batch_rows : int
        Rows in a batch, broken ones included; a batch of long rows has fewer.
    ignored : sequence of str, optional
        Columns that are known and not returned; any other brings one warning. Without it none does.
    under : str, optional
        Field under which the columns of a row lie; a row without it is read as it is.
    keeps : callable, optional
        Says which rows are messages; the others are counted and left out.
    form : TextForm
        How text files are written.

    Yields
    ------
    RawBatch
        Full ones but for the last; files without rows are in none.

    Raises
    ------
    DataError
        If a file cannot be read, or none of its first rows has a required column.
    """
    columns = [*required, *optional]
    known = None if ignored is None else {*columns, *ignored}
    for chunk in _chunks(files, required, {*columns, *(ignored or ())}, known, batch_rows, under, form):
        rows = [(name, line, row) for name, line, row in chunk if isinstance(row, dict)]
        read = len(rows)
        if keeps is not None and rows:
            kept = keeps([unwrapped(row, under) for _, _, row in rows])
            rows = [row for row, keep in zip(rows, kept, strict=True) if keep]
        plain = [unwrapped(row, under) for _, _, row in rows] if under else [row for _, _, row in rows]
        data: dict[str, Any] = {name: pd.Series([row.get(name) for row in plain], dtype=object) for name in columns}
        data[SOURCE_FILE] = pd.Series([name for name, _, _ in rows], dtype=object)
        data[SOURCE_LINE] = pd.Series([line for _, line, _ in rows], dtype="int64")
        broken = [(name, row) for name, _, row in chunk if isinstance(row, BrokenRow)]
        yield RawBatch(pd.DataFrame(data), broken, [row for _, _, row in rows], read - len(rows))
