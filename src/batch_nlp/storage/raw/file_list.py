"""The list of raw files in a feature store: which were ingested, and how their labels were read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from batch_nlp.errors import DataError
from batch_nlp.storage.feature_store import FILES_ADVICE
from batch_nlp.storage.seal import read_sealed

FILES = "files.json"


def read_list(folder: Path) -> dict[str, Any]:
    """Return the list of raw files that `known_files.RawFiles` keeps in the folder of a feature store.

    ``contents``: digest -> first ``name``, ``first_seen``, and the feature ``versions`` that ingested it; ``files``:
    path -> size, modification time and digest of the files of the last run; ``tables``: feature version -> table
    versions of the store when the last file was ingested. Raises a `DataError` if the list is damaged.
    """
    path = folder / FILES
    return read_sealed(path, FILES_ADVICE) if path.exists() else {"contents": {}, "files": {}, "tables": {}}


def check_label(folder: Path, levels: list[list[str]]) -> None:
    """Raise a `DataError` if the labels come from other columns than the stored ones; alternatives may be added."""
    before = read_list(folder).get("label")
    if not before or not (folder / "labels").exists():
        return
    if len(before) != len(levels) or any(not set(old) & set(new) for old, new in zip(before, levels, strict=True)):
        raise DataError(
            f"{folder}: the stored labels come from {_columns(before)}, but dataset.label.column names "
            f"{_columns(levels) or 'none'}. Give the dataset with the new labels its own dataset.name, or remove "
            f"{folder / 'labels'} to read all labels again."
        )


def _columns(levels: list[list[str]]) -> str:
    return ", ".join(" or ".join(level) for level in levels)


def count_taken_in(folder: Path) -> tuple[int, int]:
    """Return how many raw files a feature store has ingested, and how many of them are gone or have changed."""
    taken, there = _taken_in(folder)
    return len(taken), len(taken - set(there.values()))


def not_taken_in(folder: Path, files: Iterable[Path]) -> list[Path]:
    """Return the raw files whose current content no version of a feature store has ingested."""
    taken, there = _taken_in(folder)
    return [file for file in files if there.get(str(file)) not in taken]


def _taken_in(folder: Path) -> tuple[set[str], dict[str, str]]:
    """Return the digests of ingested contents, and path -> digest of each file that is unchanged."""
    known = read_list(folder)
    taken = {digest for digest, content in known["contents"].items() if content["versions"]}
    files = ((Path(path), then, digest) for path, (*then, digest) in known["files"].items())
    return taken, {str(path): digest for path, then, digest in files if path.exists() and size_and_time(path) == then}


def size_and_time(path: Path) -> list[int]:
    """Return size and modification time, by which a change is noticed."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]
