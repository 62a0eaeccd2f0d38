"""Seals: the SHA-256 of what was written, so that damage is noticed before anything is read.

A sealed document is JSON with the hash of its own content under ``sha256``. The seal of a folder is a sealed document:
its ``files`` map paths below the folder to the hash of each file. While a file is being replaced, they list the hashes
that it may have.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from batch_nlp.storage.atomic import replacing, write_json
from batch_nlp.storage.parquet import parquet_writer, stream_parquet
from batch_nlp.storage.problem import DamageError, Problem, problems_of

SEAL_KEY, SEAL_FILE = "sha256", "seal.json"
# The "hash" of a file that does not exist yet
_ABSENT = ""
_RESTORE = f"Restore it from a backup. If it is no longer needed, remove it together with {SEAL_FILE} beside it."
_RESEAL = "Restore it from a backup, or remove it: the files beside it are then read whole to check them."

# Path below a folder -> SHA-256 that the file may have
Hashes = dict[str, list[str]]
# A file that was found sound: path, inode, size, time of change, and the hash it was compared with
_Seen = tuple[str, int, int, int, str | None]
_sound: set[_Seen] = set()


def forget() -> None:
    """Check every file again, as a new process does (for benchmarks)."""
    _sound.clear()


def content_hash(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document's content, without the hash that it carries itself.

    Examples
    --------
    >>> content_hash({"a": 1, "b": None}) == content_hash({"b": None, "a": 1, "sha256": "any"})
    True
    """
    content = {name: value for name, value in document.items() if name != SEAL_KEY}
    # as it will be read back: with keys that are text
    read_back = json.loads(json.dumps(content))
    return hashlib.sha256(json.dumps(read_back, sort_keys=True).encode()).hexdigest()


def write_sealed(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document with the hash of its content, all or nothing."""
    write_json(path, {**document, SEAL_KEY: content_hash(document)})


def read_sealed(path: Path, advice: str, unsealed: bool = False) -> dict[str, Any]:
    """Return the content of a document that `write_sealed` wrote; raise a `DamageError` with `advice` if it is damaged.

    With `unsealed`, a document without a hash is accepted, as earlier releases wrote it.
    """
    document = read_object(path, advice)
    if (SEAL_KEY in document or not unsealed) and document.pop(SEAL_KEY, None) != content_hash(document):
        raise DamageError(Problem(path, "damaged; its content is not what was written", advice))
    return document


def read_object(path: Path, advice: str) -> dict[str, Any]:
    """Return a JSON object from a file without checking its seal; raise a `DamageError` if there is none."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DamageError(Problem(path, f"damaged ({error})", advice)) from error
    if not isinstance(document, dict):
        raise DamageError(Problem(path, "damaged; it holds no JSON object", advice))
    return document


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file, in constant memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remember(path: Path, digest: str) -> None:
    """Take a file as sound that this process has just written and hashed."""
    _sound.add(_seen(path, digest))


def _seen(path: Path, digest: str | None) -> _Seen:
    status = path.stat()
    return str(path.absolute()), status.st_ino, status.st_size, status.st_mtime_ns, digest


def damage(path: Path, hashes: Sequence[str]) -> str | None:
    """Say what is wrong with a file, None if it is sound. A file that stays unchanged is read once per process.

    `hashes` are the SHA-256 that it may have. Without any, it is a parquet file of an earlier release and is read
    whole.
    """
    try:
        if not path.is_file():
            return None if _ABSENT in hashes else "missing"
        if any(_seen(path, digest) in _sound for digest in hashes or (None,)):
            return None
        digest = None
        if hashes and (digest := hash_of(path)) not in hashes:
            return "damaged; its content is not what was written"
        if not hashes:
            for batch in stream_parquet(path):
                batch.validate(full=True)
        _sound.add(_seen(path, digest))
    except (OSError, ValueError, pa.ArrowException) as error:
        return f"damaged; it cannot be read ({error})"
    return None


class Seal:
    """The hashes of a folder's files; only the holder of the lock changes them.

    They are kept in `file`, in that folder; `advice` says what to do if that file is damaged.
    """

    def __init__(self, file: Path, advice: str = _RESEAL) -> None:
        self.file, self._advice = file, advice

    def read(self) -> Hashes:
        """Return the hashes; raise a `DamageError` if they are damaged."""
        files = read_sealed(self.file, self._advice).get("files", {}) if self.file.exists() else {}
        return {name: [found] if isinstance(found, str) else found for name, found in files.items()}

    def write(self, hashes: Hashes) -> None:
        """Replace all hashes."""
        write_sealed(
            self.file, {"files": {name: found[0] if len(found) == 1 else found for name, found in hashes.items()}}
        )

    def enter(self, name: str, hashes: list[str]) -> None:
        """Enter which hashes a file may have."""
        self.write({**self.read(), name: hashes})

    def remove(self, name: str) -> None:
        """Remove a file's entry."""
        self.write({found: hashes for found, hashes in self.read().items() if found != name})


@contextmanager
def replacing_sealed(path: Path, seal: Seal | None = None) -> Iterator[Path]:
    """Give a temporary name to write a file under; the file replaces `path`, sealed, when the block succeeds.

    Whenever a run is killed, the seal fits the file that is there. As with `replacing`, there is one writer.
    """
    seal = seal or Seal(path.parent / SEAL_FILE)
    with replacing(path) as temporary:
        yield temporary
        digest = hash_of(temporary)
        before = [_ABSENT] if not path.exists() else seal.read().get(path.name) or [hash_of(path)]
        seal.enter(path.name, [digest, *before])
    remember(path, digest)
    seal.enter(path.name, [digest])


@contextmanager
def sealed_writer(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """Open a sealed parquet file for writing; it replaces `path` when the block succeeds."""
    with replacing_sealed(path) as temporary, parquet_writer(temporary, schema) as writer:
        yield writer


def write_sealed_parquet(path: Path, table: pa.Table) -> None:
    """Write a sealed parquet file, all or nothing."""
    with sealed_writer(path, table.schema) as writer:
        writer.write_table(table)


def remove_sealed(paths: Iterable[Path]) -> None:
    """Remove files and their entries; a kill in between may leave a file without an entry."""
    for path in paths:
        seal = Seal(path.parent / SEAL_FILE)
        if seal.file.exists():
            seal.remove(path.name)
        path.unlink(missing_ok=True)


def check_file(path: Path, whole: bool = True) -> None:
    """Raise a `DamageError` if a file is missing, or is not what was written.

    With `whole`, a parquet file without a seal is read whole; this is not needed where the caller reads all of it.
    """
    hashes = Seal(path.parent / SEAL_FILE).read().get(path.name, [])
    if (hashes or whole) and (what := damage(path, [digest for digest in hashes if digest != _ABSENT])):
        raise DamageError(Problem(path, what, _RESTORE))


def checked_files(root: Path, name: str, but: str) -> list[Path]:
    """Return the files of one name in the folders below `root`, except the folder `but`, in the folders' order.

    Folders that never had such a file are skipped. Raises a `DamageError` if a file is damaged or missing.
    """
    folders = sorted(folder for folder in root.glob("[!.]*") if folder.is_dir() and folder.name != but)
    found = [folder / name for folder in folders if (folder / name).exists() or name in Seal(folder / SEAL_FILE).read()]
    for path in found:
        check_file(path)
    return found


def problems(folder: Path) -> list[Problem]:
    """Return what is wrong with the sealed and the parquet files of a folder."""
    seal = Seal(folder / SEAL_FILE)
    if found := problems_of(seal.read):
        return found
    hashes = seal.read()
    names = sorted({*hashes, *(path.name for path in folder.glob("[!.]*.parquet"))})
    checked = ((folder / name, damage(folder / name, hashes.get(name, []))) for name in names)
    return [Problem(path, what, _RESTORE) for path, what in checked if what]
