"""Whether a file still is what was written: looked at once in a process, as long as nobody changes the file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

# What was found sound: path, inode, size, time of change, and the hash that it was compared with
_Seen = tuple[str, int, int, int, str | None]
_sound: set[_Seen] = set()
_BATCH_ROWS = 10_000


def _seen(path: Path, expected: str | None) -> _Seen:
    status = path.stat()
    return str(path.absolute()), status.st_ino, status.st_size, status.st_mtime_ns, expected


def written(path: Path) -> str:
    """Make a file that was just written durable, and return its SHA-256; memory does not grow with its size."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def remember(path: Path, digest: str) -> None:
    """Take a file as sound that this process has written and hashed."""
    _sound.add(_seen(path, digest))


def forget() -> None:
    """Look at every file again, as a new process does."""
    _sound.clear()


def problem_of(path: Path, *expected: str) -> str | None:
    """Return in words what is wrong with a file; None where it is sound.

    Parameters
    ----------
    path : Path
    *expected : str
        SHA-256 of what was written, several while a file is replaced. Without any, it is a parquet file of which no
        hash is known, and it is read whole.
    """
    try:
        if not path.is_file():
            return "missing"
        if not path.stat().st_size:
            return "empty"
        if any(_seen(path, digest) in _sound for digest in expected or (None,)):
            return None
        if not expected:
            _decode(path)
            remember_as = None
        else:
            with path.open("rb") as file:
                remember_as = hashlib.file_digest(file, "sha256").hexdigest()
            if remember_as not in expected:
                return "damaged; its content is not what was written"
        _sound.add(_seen(path, remember_as))
    except (OSError, ValueError, pa.ArrowException) as error:
        return f"damaged; it cannot be read ({error})"
    return None


def _decode(path: Path) -> None:
    """Read every page of a parquet file, batch by batch."""
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for batch in file.iter_batches(_BATCH_ROWS):
            batch.validate(full=True)
