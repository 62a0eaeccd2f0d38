"""Raw files that a store knows, by content: a file that was touched, copied, renamed or recompressed is not new."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from loguru import logger

from batch_nlp.errors import DataError
from batch_nlp.storage.feature_store import FILES_ADVICE, FeatureStore
from batch_nlp.storage.raw.file_names import natural_key, size_and_time, source_name
from batch_nlp.storage.raw.lines import REQUEUED_PART
from batch_nlp.storage.raw.opening import unpacked
from batch_nlp.storage.raw.set_aside import SetAside, set_aside
from batch_nlp.storage.seal import read_sealed, write_sealed

FILES = "files.json"
_CHUNK_BYTES = 1 << 20
# Files ingested by an earlier release count as seen before all others
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class RawFile:
    """A raw file to ingest, by the SHA-256 of its decompressed content.

    `first_seen` is the time at which this content was first found under any name; it is unique per content.
    """

    path: Path
    digest: str
    first_seen: datetime


class RawFiles:
    """The raw files of a dataset, and which of them a feature version has ingested completely.

    If a table of the store was removed, all files are new again. The times at which they were first seen are kept,
    since they decide which label is the latest.
    """

    def __init__(self, store: FeatureStore, feature_version: str, now: datetime) -> None:
        self._store, self._version = store, feature_version
        self._path = store.folder / FILES
        self._stored = read_list(store.folder)
        self._list = deepcopy(self._stored)
        # from lists of an earlier release: versions that ingested a file of this name, size and time
        self._earlier: dict[str, list[str]] = {}
        self._arrivals: dict[str, datetime] = {}
        # files that `new` could not read
        self.set_aside: list[SetAside] = []
        if not self._path.exists():
            self._read_earlier()
            # needed if a damaged list was removed
            self._arrivals = store.labels.arrivals()
        then = self._list["tables"].get(feature_version, [-1, -1])
        if any(held < needed for held, needed in zip(self._tables(), then, strict=True)):
            logger.warning("{} holds less than before: all of 01_raw is read again", store.folder)
            self._forget()
        seen = [datetime.fromisoformat(content["first_seen"]) for content in self._list["contents"].values()]
        latest = max([*seen, *self._arrivals.values()], default=_BEFORE_ALL)
        self._next_time = max(now, latest + _TICK)

    def check_reading(self, levels: list[list[str]], messages: dict[str, str | None]) -> None:
        """Record how files are read; raise a `DataError` for labels from other columns than those of the stored labels.

        `levels` has the columns of each level of the label, and `messages` the settings that select and locate the
        rows. If these settings have changed, all files are new.
        """
        check_label(self._store.folder, levels)
        before, stored = self._list.get("label"), (self._store.folder / "labels").exists()
        if levels and before not in (None, levels) and not (before and stored):
            self._forget()  # files were ingested without their labels, or with columns that they lack
        if self._list.setdefault("messages", messages) != messages:
            logger.warning("The selection of messages has changed ({}): all of 01_raw is read again", messages)
            self._forget()
        self._list |= {"label": levels, "messages": messages}

    def _read_earlier(self) -> None:
        for path in _earlier_lists(self._store.folder):
            version, found = path.stem.partition("-")[2], read_sealed(path, FILES_ADVICE, unsealed=True)
            self._list["tables"][version] = found.get("tables", [-1, -1])
            for identity in found.get("files", []):
                self._earlier.setdefault(identity, []).append(version)

    def _forget(self) -> None:
        """Mark all files as new for this version."""
        self._list["tables"].pop(self._version, None)
        for versions in [*self._earlier.values(), *(known["versions"] for known in self._list["contents"].values())]:
            if self._version in versions:
                versions.remove(self._version)

    def _tables(self) -> list[int]:
        version = self._store.data_version(self._version)
        return [version.features, version.labels]

    def new(self, files: list[Path]) -> list[RawFile]:
        """Return the files that this version has not ingested, in the order in which they were first seen.

        Unknown files are recorded at once, in natural order of their names, so that they keep their place if the run is
        killed. Only one of several files with equal content is returned. Unreadable files go to `set_aside` and stay
        new. `files` are all existing files: paths of other files are forgotten, their content is not.
        """
        contents = self._list["contents"]
        before, self._list["files"] = self._list["files"], {}
        present: dict[str, Path] = {}
        places = {identity: place for place, identity in enumerate(self._earlier)}
        last = len(places)
        for path in sorted(files, key=lambda path: (places.get(_identity(path), last), natural_key(path))):
            identity, status = _identity(path), [*size_and_time(path)]
            try:
                *then, known = before.get(str(path), [None])
                digest = known if then == status else content_digest(path)
            except DataError as error:
                self.set_aside.append(set_aside(path, error))
                continue
            self._list["files"][str(path)] = [*status, digest]
            present.setdefault(digest, path)
            if digest not in contents:
                first_seen = self._first_seen(digest, places.get(identity)).isoformat()
                versions = list(self._earlier.get(identity, []))
                contents[digest] = {"name": source_name(path), "first_seen": first_seen, "versions": versions}
        self._write()
        new = [
            RawFile(path, digest, datetime.fromisoformat(contents[digest]["first_seen"]))
            for digest, path in present.items()
            if self._version not in contents[digest]["versions"]
        ]
        return sorted(new, key=lambda file: file.first_seen)

    def _first_seen(self, digest: str, place: int | None) -> datetime:
        if place is not None:
            return _BEFORE_ALL + place * _TICK
        if digest in self._arrivals:
            return self._arrivals[digest]
        self._next_time += _TICK
        return self._next_time - _TICK

    def add(self, files: list[RawFile]) -> None:
        """Record files that were ingested completely."""
        for file in files:
            versions = self._list["contents"][file.digest]["versions"]
            if self._version not in versions:
                versions.append(self._version)
        self._list["tables"][self._version] = self._tables()
        self._write()

    def _write(self) -> None:
        if self._list != self._stored:
            write_sealed(self._path, self._list)
            self._stored = deepcopy(self._list)
        for path in _earlier_lists(self._store.folder):
            path.unlink()


def _identity(path: Path) -> str:
    """Return the key by which earlier releases recognised a file."""
    return ":".join(map(str, [path.name, *size_and_time(path)]))


def _earlier_lists(folder: Path) -> list[Path]:
    return sorted(folder.glob("sources-*.json"))


def content_digest(path: Path) -> str:
    """Return the SHA-256 of a file's decompressed content; raise a `DataError` if it cannot be read.

    For requeued rows it includes the file's name, so that rows that are requeued twice are read twice.
    """
    digest = hashlib.sha256(path.name.encode() if REQUEUED_PART in path.name else b"")
    with unpacked(path) as content:
        while chunk := content.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def read_list(folder: Path) -> dict[str, Any]:
    """Return the list of raw files that `RawFiles` keeps in the folder of a feature store.

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
    files = ((Path(path), (size, time), digest) for path, (size, time, digest) in known["files"].items())
    return taken, {str(path): digest for path, then, digest in files if path.exists() and size_and_time(path) == then}
