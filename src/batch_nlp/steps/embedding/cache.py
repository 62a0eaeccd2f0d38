"""A cache of vectors by text: a model embeds each text once, even if the run is killed.

The cache is for models that take milliseconds per text; static vectors are computed faster than they are looked up.
Each fingerprint has one SQLite file, so that a kill leaves complete commits.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from loguru import logger

from batch_nlp.steps.embedding.embedder import Embedder, FloatMatrix, encode_unique

# Texts embedded between two commits
_PIECE = 1000
# Keys per query; SQLite's own limit is higher in every version since 2020
_KEYS = 500
# Share of a full cache that is kept when the oldest vectors are dropped
_KEPT = 0.9
_MEGABYTE = 2**20


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _check(key: bytes, vector: bytes) -> bytes:
    return hashlib.blake2b(key + vector, digest_size=8).digest()


class CachedEmbedder:
    """An embedder that asks another one only for texts that are not in its cache.

    A vector that differs from what was written is computed again. A damaged file is replaced; if the file cannot be
    written, for example on a full disk, vectors are not cached. Both cases are logged as warnings.

    Parameters
    ----------
    fingerprint : str
        Identifies the embedder; the file is named after it.
    max_mb : int
        Megabytes (2**20 bytes) of vectors above which the oldest are dropped.
    """

    def __init__(self, embedder: Embedder, folder: Path, fingerprint: str, max_mb: int) -> None:
        self.dims = embedder.dims
        self._embedder = embedder
        self._file = folder / f"vectors-{hashlib.sha256(fingerprint.encode()).hexdigest()[:16]}.sqlite"
        self._max_rows = max(max_mb * _MEGABYTE // (4 * self.dims), 1)

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Return the vectors of texts, shape (n, dims); see `Embedder.encode`."""
        return encode_unique(texts, self.dims, self._encode)

    def _encode(self, texts: list[str]) -> FloatMatrix:
        keys = [_key(text) for text in texts]
        vectors = self._look_up(keys)
        missing = [position for position, key in enumerate(keys) if key not in vectors]
        for piece in (missing[start : start + _PIECE] for start in range(0, len(missing), _PIECE)):
            made = np.ascontiguousarray(self._embedder.encode([texts[position] for position in piece]), np.float32)
            new = {keys[position]: row.tobytes() for position, row in zip(piece, made, strict=True)}
            vectors |= new
            self._keep(new)
        joined = b"".join(vectors[key] for key in keys)
        return np.frombuffer(joined, np.float32).reshape(len(keys), self.dims)

    def _look_up(self, keys: list[bytes]) -> dict[bytes, bytes]:
        if not self._file.exists():
            return {}
        try:
            with closing(self._open()) as database:
                found = {key: (vector, check) for key, vector, check in _rows(database, keys)}
        except sqlite3.DatabaseError as error:
            self._give_up(error)
            return {}
        sound = {
            key: vector
            for key, (vector, check) in found.items()
            if len(vector) == 4 * self.dims and _check(key, vector) == check
        }
        if len(sound) < len(found):
            logger.warning("{}: {:,} damaged vectors are computed again", self._file, len(found) - len(sound))
        return sound

    def _keep(self, vectors: dict[bytes, bytes]) -> None:
        try:
            with closing(self._open()) as database, database:
                database.executemany(
                    "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
                    [(key, vector, _check(key, vector)) for key, vector in vectors.items()],
                )
                (rows,) = database.execute("SELECT count(*) FROM vectors").fetchone()
                if rows > self._max_rows:
                    oldest = rows - int(self._max_rows * _KEPT)
                    database.execute(
                        "DELETE FROM vectors WHERE rowid IN (SELECT rowid FROM vectors ORDER BY rowid LIMIT ?)",
                        (oldest,),
                    )
        except sqlite3.DatabaseError as error:
            self._give_up(error)

    def _open(self) -> sqlite3.Connection:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._file)
        database.execute(
            'CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL, "check" BLOB NOT NULL)'
        )
        return database

    def _give_up(self, error: sqlite3.DatabaseError) -> None:
        """Remove a damaged file; if the disk is at fault, continue without the cache."""
        if isinstance(error, sqlite3.OperationalError):
            logger.warning("{}: vectors are not cached ({})", self._file, error)
            return
        logger.warning("{}: damaged ({}); a new file replaces it", self._file, error)
        self._file.unlink(missing_ok=True)


def _rows(database: sqlite3.Connection, keys: Sequence[bytes]) -> Iterator[tuple[bytes, bytes, bytes]]:
    for some in (keys[start : start + _KEYS] for start in range(0, len(keys), _KEYS)):
        marks = ",".join("?" * len(some))
        select = f'SELECT key, vector, "check" FROM vectors WHERE key IN ({marks})'  # nosec B608 # inserts only question marks
        yield from database.execute(select, some)
