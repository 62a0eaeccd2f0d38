"""Seals: the SHA-256 of what was written, so that damage is noticed before anything is read.

A JSON document carries the hash of its own content. A folder's seal is such a document: it holds the hash of each file
in the folder. A file without an entry, which an earlier release wrote, is read whole instead.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from batch_nlp.errors import DataError
from batch_nlp.storage.atomic import replacing, write_json

SEAL_KEY = "sha256"


def content_hash(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document's content, leaving out the one that it carries itself.

    Examples
    --------
    >>> content_hash({"a": 1, "b": None}) == content_hash({"b": None, "a": 1, "sha256": "any"})
    True
    """
    content = {name: value for name, value in document.items() if name != SEAL_KEY}
    # as it is when it is read back: with keys that are text
    read_back = json.loads(json.dumps(content))
    return hashlib.sha256(json.dumps(read_back, sort_keys=True).encode()).hexdigest()


def write_sealed(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document with the hash of its content, all or nothing."""
    write_json(path, {**document, SEAL_KEY: content_hash(document)})


def read_sealed(path: Path, advice: str, unsealed: bool = False) -> dict[str, Any]:
    """Return the content of a document that `write_sealed` wrote.

    Parameters
    ----------
    path : Path
    advice : str
        What to do if it is damaged, a sentence.
    unsealed : bool
        Whether a document without a hash is taken: one that an earlier release wrote.

    Raises
    ------
    DataError
        If it cannot be read, or is not what was written.
    """
    try:
        document = json.loads(path.read_bytes())
        if not isinstance(document, dict):
            raise ValueError("no JSON object")
        if SEAL_KEY in document or not unsealed:
            if document.get(SEAL_KEY) != content_hash(document):
                raise ValueError("its content is not what was written")
            del document[SEAL_KEY]
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: damaged ({error}). {advice}") from error
    return document


def documents(folder: Path) -> list[str]:
    """Return the names of the JSON documents in a folder, sorted; hidden ones and a missing folder have none.

    Folders of batches hold thousands of them, of which a path each would cost more than reading what is new.
    """
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except FileNotFoundError:
        return []
    return sorted(name for name in names if name.endswith(".json") and not name.startswith("."))


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


SEAL_FILE = "seal.json"
_RESTORE = f"Restore it from a backup; if it is not needed any more, remove it, and {SEAL_FILE} beside it."
_RESEAL = "Restore it from a backup, or remove it: the files beside it are then read whole to check them."
# stands for a file that is not there yet
_ABSENT = ""

# File name -> SHA-256 of what may be there: one, or two while the file is replaced
_Seal = dict[str, list[str]]


def _read(folder: Path) -> _Seal:
    path = folder / SEAL_FILE
    if not path.exists():
        return {}
    files = read_sealed(path, _RESEAL).get("files", {})
    return {str(name): list(digests) for name, digests in files.items()}


def _change(folder: Path, name: str, digests: list[str] | None) -> None:
    """Enter what may be there under a name, or that nothing is."""
    files = _read(folder)
    files.pop(name, None)
    write_sealed(folder / SEAL_FILE, {"files": files if digests is None else {**files, name: digests}})


@contextmanager
def replacing_sealed(path: Path) -> Iterator[Path]:
    """Give a temporary name to write a file under; it takes the place of `path`, sealed, when the block succeeds.

    Whenever a run is killed, the seal fits the file that is there. As with `replacing`, there is one writer.
    """
    with replacing(path) as temporary:
        yield temporary
        digest = written(temporary)
        before = _read(path.parent).get(path.name, [])
        if not path.exists():
            before = [_ABSENT]
        elif not before:
            before = [written(path)]
        _change(path.parent, path.name, [digest, *before])
    remember(path, digest)
    _change(path.parent, path.name, [digest])


def write_sealed_parquet(path: Path, table: pa.Table) -> None:
    """Write a parquet file with page checksums and a seal, all or nothing."""
    with replacing_sealed(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)


def remove_sealed(paths: Iterable[Path]) -> None:
    """Remove files and their entries; after a kill in between, one may be there without an entry."""
    for path in paths:
        if (path.parent / SEAL_FILE).exists():
            _change(path.parent, path.name, None)
        path.unlink(missing_ok=True)


def _problem(path: Path, digests: list[str]) -> str | None:
    if _ABSENT in digests and not path.exists():
        return None
    problem = problem_of(path, *(digest for digest in digests if digest))
    return f"{path}: {problem}. {_RESTORE}" if problem else None


def check_file(path: Path, whole: bool = True) -> None:
    """Raise a `DataError` that names a file if it is missing, or not what was written.

    A parquet file without a seal is read whole for that, unless its reader does so.
    """
    digests = _read(path.parent).get(path.name, [])
    if not (digests or whole):
        return
    if problem := _problem(path, digests) or (None if path.exists() else f"{path}: missing. {_RESTORE}"):
        raise DataError(problem)


def checked_files(root: Path, name: str, but: str) -> list[Path]:
    """Return the sound files of one name in the folders below `root`, but for one, in the order of the folders' names.

    A folder that never had such a file is passed over.

    Raises
    ------
    DataError
        If one is damaged, or gone from its folder.
    """
    folders = sorted(folder for folder in root.glob("[!.]*") if folder.is_dir() and folder.name != but)
    found = [folder / name for folder in folders if (folder / name).exists() or name in _read(folder)]
    for path in found:
        check_file(path)
    return found


def problems(folder: Path) -> list[str]:
    """Return what is wrong with the sealed and the parquet files of a folder, a sentence for each that names it."""
    try:
        seal = _read(folder)
    except DataError as error:
        return [str(error)]
    names = sorted({*seal, *(path.name for path in folder.glob("[!.]*.parquet"))})
    found = (_problem(folder / name, seal.get(name, [])) for name in names)
    return [problem for problem in found if problem]
