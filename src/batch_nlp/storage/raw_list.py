"""The list of raw files that a feature store keeps: which it took in, and how their labels were read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from batch_nlp.errors import DataError
from batch_nlp.storage.feature_store import FILES_ADVICE
from batch_nlp.storage.seal import read_sealed

FILES = "files.json"


def read_list(folder: Path) -> dict[str, Any]:
    """Return what is known of raw files, as `raw_files.RawFiles` keeps it in the folder of a feature store.

    Returns
    -------
    dict
        ``contents``: by digest, the first ``name``, ``first_seen``, and the feature ``versions`` that took it in;
        ``files``: by path, size, time of change and digest of the files that were there last; ``tables``: by feature
        version, what the store held when its last file was taken in.

    Raises
    ------
    DataError
        If the list is damaged.
    """
    path = folder / FILES
    return read_sealed(path, FILES_ADVICE) if path.exists() else {"contents": {}, "files": {}, "tables": {}}


def check_label(folder: Path, levels: list[list[str]]) -> None:
    """Refuse labels of other columns than those that the store's labels were read from.

    Raises
    ------
    DataError
        If the columns of the label's levels are others; alternatives may be added.
    """
    before = read_list(folder).get("label")
    if not before or not (folder / "labels").exists():
        return
    if len(before) != len(levels) or any(not set(old) & set(new) for old, new in zip(before, levels, strict=True)):
        raise DataError(
            f"{folder}: its labels were read from {_columns(before)}, and dataset.label.column now names "
            f"{_columns(levels) or 'none'}. Give the dataset with other labels another dataset.name, or remove "
            f"{folder / 'labels'}, and all labels are read again."
        )


def _columns(levels: list[list[str]]) -> str:
    return ", ".join(" or ".join(level) for level in levels)


def count_taken_in(folder: Path) -> tuple[int, int]:
    """Return how many raw files a feature store took in, and how many of them are gone or have changed since.

    Raises
    ------
    DataError
        If the list is damaged.
    """
    taken, there = _taken_in(folder)
    return len(taken), len(taken - set(there.values()))


def not_taken_in(folder: Path, files: Iterable[Path]) -> list[Path]:
    """Return those of some raw files that a feature store, of whatever version, did not take in as they are now.

    Raises
    ------
    DataError
        If the list is damaged.
    """
    taken, there = _taken_in(folder)
    return [file for file in files if there.get(str(file)) not in taken]


def _taken_in(folder: Path) -> tuple[set[str], dict[str, str]]:
    """Return the contents that were taken in, and by its path the content of each file that is as it was."""
    known = read_list(folder)
    taken = {digest for digest, content in known["contents"].items() if content["versions"]}
    files = ((Path(path), then, digest) for path, (*then, digest) in known["files"].items())
    return taken, {str(path): digest for path, then, digest in files if path.exists() and size_and_time(path) == then}


def size_and_time(path: Path) -> list[int]:
    """Return what changes with a file."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]
