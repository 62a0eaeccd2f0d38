"""An estimate of the number of rows in raw files, from which progress shows the time left."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path

from batch_nlp.errors import DataError
from batch_nlp.storage.raw.file_names import kind_of, packing_of
from batch_nlp.storage.raw.opening import decompressed, open_raw
from batch_nlp.storage.raw.parquet_reader import opened_parquet

_SAMPLED_FILES, _SAMPLED_BYTES = 3, 1 << 20


def estimated_rows(files: Iterable[Path]) -> int | None:
    """Estimate the rows of files from the start of the largest ones.

    There is no estimate for JSON that is one array, and for files that cannot be read.
    """
    try:
        sizes = {file: file.stat().st_size for file in files}
        largest = sorted(sizes, key=sizes.__getitem__)[-_SAMPLED_FILES:]
        samples = [_sample(file) for file in largest]
    except (DataError, OSError, EOFError, ValueError, zlib.error):  # the reader of the files reports it
        return None
    rows, size = sum(rows for rows, _ in samples), sum(size for _, size in samples)
    return round(sum(sizes.values()) * rows / size) if all(rows for rows, _ in samples) and size else None


def _sample(file: Path) -> tuple[int, int]:
    """Return the rows in the sampled part of a file, and the bytes of this part on disk."""
    if kind_of(file) == ".parquet":
        with opened_parquet(file) as parquet:
            return parquet.metadata.num_rows, file.stat().st_size
    with open_raw(file) as content, decompressed(content, packing_of(file.name)) as text:
        start = text.read(_SAMPLED_BYTES)
        lines = 0 if start.lstrip().startswith(b"[") else start.count(b"\n")
        return lines, content.tell()
