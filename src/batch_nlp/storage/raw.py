"""Raw files as batches of rows, each row with the file and line that it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from loguru import logger
from numpy.typing import NDArray

from batch_nlp.storage.quarantine import SOURCE_FILE, SOURCE_LINE
from batch_nlp.storage.raw_columns import column_names, first_rows, missing_columns, refuse, unwrapped
from batch_nlp.storage.raw_formats import rows_of
from batch_nlp.storage.raw_lines import LINE_BYTES, BrokenRow, Numbered, Row
from batch_nlp.storage.raw_names import find_files, source_name
from batch_nlp.storage.raw_open import DETECTED, TextForm

__all__ = ["SOURCE_FILE", "SOURCE_LINE", "BrokenRow", "RawBatch", "find_files", "read_batches"]

# A batch ends here too, so that memory does not grow with the length of messages
_BATCH_BYTES = 2 * LINE_BYTES


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
    whole : list of dict
        Each row with all its columns, as the source has it; empty where only `rows` is known.
    left_out : int
        Rows that are none of the messages.
    """

    file: Path
    rows: pd.DataFrame
    broken: list[BrokenRow]
    whole: list[Row] = field(default_factory=list)
    left_out: int = 0


def _chunks(file: Path, batch_rows: int, form: TextForm) -> Iterator[list[Numbered]]:
    chunk: list[Numbered] = []
    size = 0
    for found in rows_of(file, batch_rows, form):
        chunk.append(found)
        size += found.size
        if len(chunk) == batch_rows or size > _BATCH_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _warn_of_unknown(file: Path, rows: list[Row], known: set[str]) -> None:
    extra = sorted(map(str, column_names(rows) - known))
    if extra:
        logger.warning("{}: {} unknown column(s) are not read: {}", source_name(file), len(extra), ", ".join(extra))


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

    Parameters
    ----------
    files : iterable of Path
        Files with one of the known endings.
    required, optional : sequences of str
        Columns to return; an optional one that a file lacks is all null.
    batch_rows : int
        Rows in a batch, broken ones included; a batch of long rows has fewer.
    ignored : sequence of str, optional
        Columns that are known and not returned; any other brings a warning. Without it none does.
    under : str, optional
        Field under which the columns of a row lie; a row without it is read as it is.
    keeps : callable, optional
        Says which rows are messages; the others are counted and left out.
    form : TextForm
        How text files are written.

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
    for file in files:
        start = first_rows(file, under, form)
        refuse([problem] if (problem := missing_columns(file, start, required)) else [])
        if ignored is not None:
            _warn_of_unknown(file, start, {*columns, *ignored})
        for chunk in _chunks(file, batch_rows, form):
            rows = [(found.line, found.row) for found in chunk if isinstance(found.row, dict)]
            read = len(rows)
            if keeps is not None and rows:
                kept = keeps([unwrapped(row, under) for _, row in rows])
                rows = [row for row, keep in zip(rows, kept, strict=True) if keep]
            plain = [unwrapped(row, under) for _, row in rows] if under else [row for _, row in rows]
            data: dict[str, Any] = {name: pd.Series([row.get(name) for row in plain], dtype=object) for name in columns}
            data |= {SOURCE_FILE: source_name(file), SOURCE_LINE: pd.Series([line for line, _ in rows], dtype="int64")}
            broken = [found.row for found in chunk if isinstance(found.row, BrokenRow)]
            yield RawBatch(file, pd.DataFrame(data), broken, [row for _, row in rows], read - len(rows))
