"""Which raw files the feature store has taken in."""

from __future__ import annotations

from pathlib import Path

from loguru import logger

from batch_nlp.dataset.side_tables import file_identity
from batch_nlp.errors import DataError
from batch_nlp.storage.feature_store import SOURCES_ADVICE, FeatureStore
from batch_nlp.storage.sealed_json import read_sealed, write_sealed


class Sources:
    """Which raw files a feature version has taken in completely.

    It counts as long as the store holds what it held then: where a table was removed, all files are new again.

    Parameters
    ----------
    store : FeatureStore
    feature_version : str

    Raises
    ------
    DataError
        If the list is damaged.
    """

    def __init__(self, store: FeatureStore, feature_version: str) -> None:
        self._store, self._version = store, feature_version
        self._path = store.folder / f"sources-{feature_version}.json"
        self._done = self._read() if self._path.exists() else []

    def _read(self) -> list[str]:
        found = read_sealed(self._path, SOURCES_ADVICE, unsealed=True)
        files = found.pop("files", None)
        # a list of an earlier release does not say what the store held
        then = found.pop("tables", [-1, -1])
        if not isinstance(files, list) or found:
            raise DataError(f"{self._path}: damaged (not a list of files). {SOURCES_ADVICE}")
        now = self._tables()
        if any(held < needed for held, needed in zip(now, then, strict=True)):
            logger.warning("{} holds less than it did: all of 01_raw is taken in again", self._store.folder)
            return []
        return files

    def _tables(self) -> list[int]:
        version = self._store.data_version(self._version)
        return [version.features, version.labels]

    def new(self, files: list[Path]) -> list[Path]:
        """Return the files that were not taken in, or have changed since."""
        done = set(self._done)
        return [file for file in files if file_identity(file) not in done]

    def add(self, files: list[Path]) -> None:
        """Enter files that were taken in completely."""
        done = list(dict.fromkeys([*self._done, *map(file_identity, files)]))
        write_sealed(self._path, {"files": done, "tables": self._tables()})
