"""Files and folders that exist as a whole or not at all.

Everything is written under a temporary name beside its target, synced, and renamed: readers, and the run after a
``kill -9``, see the old state or the new one. Temporary names start with a dot and end in ``.tmp``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loguru import logger

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")


def temporary_name(path: Path) -> Path:
    """Return an unused temporary name beside `path`."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")


def unfinished(folder: Path, whole: Collection[Path] = ()) -> list[Path]:
    """Return the temporary files and folders below a folder, of runs in progress or killed ones.

    The folders in `whole` contain no temporary names in their subfolders, so these are not searched.
    """
    found, waiting = list[Path](), [str(folder)] if folder.is_dir() else []
    not_below = set(map(str, whole))
    while waiting:
        with os.scandir(looked_into := waiting.pop()) as entries:
            for entry in entries:
                if entry.name.startswith(".") and _TEMPORARY.fullmatch(entry.name):
                    found.append(Path(entry.path))
                elif looked_into not in not_below and entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
    return sorted(found)


def sweep(folder: Path, whole: Collection[Path] = ()) -> list[Path]:
    """Remove the temporary files and folders of killed runs below a folder, with a warning for each, and return them.

    Only the holder of the lock may do so, since they could be another run's work in progress. For `whole`, see
    `unfinished`.
    """
    left = unfinished(folder, whole)
    for path in left:
        remove(path)
        logger.warning("Removed an unfinished file of a killed run: {}", path)
    return left


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make the content of a file durable."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name to write a file under; the file replaces `path` when the block succeeds.

    Missing parent folders are created. If the block fails, the file is removed and `path` stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_name(path)
    try:
        yield temporary
        put_file(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def put_file(temporary: Path, path: Path) -> None:
    """Give a written file its name, durably."""
    sync_file(temporary)
    os.replace(temporary, path)
    sync_folder(path.parent)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder to fill; it replaces `path` when the block succeeds.

    Replacing an existing folder takes two renames, and between them the name does not exist. Callers that need more
    point to the folder by a file that they replace afterwards.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_name(path)
    temporary.mkdir()
    try:
        yield temporary
        _put_folder(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _put_folder(temporary: Path, path: Path) -> None:
    """Give a filled folder its name, durably."""
    for file in temporary.rglob("*"):
        if file.is_file():
            sync_file(file)
    sync_folder(temporary)
    if path.exists():
        old = temporary_name(path)
        os.replace(path, old)
        os.replace(temporary, path)
        shutil.rmtree(old)
    else:
        os.replace(temporary, path)
    sync_folder(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes, all or nothing."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8, all or nothing."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON document for people and programs, all or nothing."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def append_line(path: Path, line: str) -> None:
    """Append one line to a file and make it durable.

    A line that a kill left unfinished is closed first, so that the new line stays separate.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
