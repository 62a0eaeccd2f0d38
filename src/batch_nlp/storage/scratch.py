"""Large arrays: in memory, or in nameless files if there are more rows than memory.

The operating system frees such a file when the process no longer uses it or is killed, so nothing is left to remove.
Pages of a file count as used memory while memory is free; when it is short, the system writes them to disk.
"""

from __future__ import annotations

import math
import mmap
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike, NDArray

_folder: ContextVar[Path | None] = ContextVar("_folder", default=None)
_ZEROS = bytes(1 << 20)


@contextmanager
def arrays_on_disk(folder: Path | None) -> Iterator[None]:
    """Keep arrays that are created in the block in files in a folder; None keeps them in memory."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    before = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(before)


def on_disk() -> bool:
    """Return whether new arrays are in files."""
    return _folder.get() is not None


def _nameless_file() -> IO[bytes]:
    return tempfile.TemporaryFile(dir=_folder.get())


def _mapped(file: IO[bytes], dtype: DTypeLike, shape: tuple[int, ...]) -> NDArray[Any]:
    # the map keeps the file open
    return np.asarray(np.memmap(file, dtype, "r+", shape=shape))


def new_array(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return an array with arbitrary values; raise an `OSError` if the disk is full."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if not on_disk() or not size:
        return np.empty(shape, dtype)
    with _nameless_file() as file:
        _allocate(file, size)
        return _mapped(file, dtype, shape)


def _allocate(file: IO[bytes], size: int) -> None:
    """Reserve the disk space at once: writing a page without space kills the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
        return
    for start in range(0, size, len(_ZEROS)):
        file.write(_ZEROS[: size - start])
    file.flush()


class GrowingArray:
    """A one-dimensional array that grows piece by piece."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._dtype = np.dtype(dtype)
        self._pieces: list[NDArray[Any]] = []
        self._file = _nameless_file() if on_disk() else None
        self._size = 0

    def append(self, values: NDArray[Any]) -> None:
        """Append values."""
        values = np.ascontiguousarray(values, self._dtype)
        self._size += len(values)
        if self._file is None:
            self._pieces.append(values)
        else:
            self._file.write(values.data)

    def finish(self) -> NDArray[Any]:
        """Return the array, which can no longer grow."""
        if self._file is None:
            pieces, self._pieces = self._pieces, []
            return pieces[0] if len(pieces) == 1 else np.concatenate([np.empty(0, self._dtype), *pieces])
        with self._file as file:
            file.flush()
            return _mapped(file, self._dtype, (self._size,)) if self._size else np.empty(0, self._dtype)


def spool(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    """Return record batches as a table in a file; strings get 64-bit offsets, as in pandas."""
    large = pa.schema(
        [field.with_type(pa.large_string()) if pa.types.is_string(field.type) else field for field in schema]
    )
    with _nameless_file() as file:
        with pa.ipc.new_stream(file, large) as writer:
            for batch in batches:
                writer.write_batch(batch.cast(large))
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return pa.ipc.open_stream(pa.py_buffer(mapped)).read_all()
