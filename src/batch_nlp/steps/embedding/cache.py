"""Vectors that were computed before, by content: a text is embedded once for a model, whatever happens to the run.

For models that take milliseconds a text; static vectors are made faster than they are looked up. The vectors lie in one
SQLite file for each fingerprint, so that a kill leaves a whole number of commits.
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

# Texts that are embedded between two commits
_PIECE = 1000
# Keys in one query; SQLite's own limit is higher in every version since 2020
_KEYS = 500
# What is left of a full cache when the oldest vectors were dropped
_KEPT = 0.9
_MEGABYTE = 2**20


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _check(key: bytes, vector: bytes) -> bytes:
    return hashlib.blake2b(key + vector, digest_size=8).digest()


class CachedEmbedder:
    """An embedder that asks the other one only for texts that it has not seen.

    A vector that is not what was written is computed again. A file that is no database any more is begun anew, and one
    that cannot be written, on a full disk for example, keeps nobody from working: both with a warning.

    Parameters
    ----------
    embedder : Embedder
        Computes what is missing.
    folder : Path
        Where the file lies; it is named for the embedder's fingerprint.
    max_mb : int
        Megabytes (2**20 bytes) of vectors over which the oldest go.
    """

    def __init__(self, embedder: Embedder, folder: Path, max_mb: int) -> None:
        self.dims, self.fingerprint = embedder.dims, embedder.fingerprint
        self._embedder = embedder
        self._file = folder / f"vectors-{hashlib.sha256(embedder.fingerprint.encode()).hexdigest()[:16]}.sqlite"
        self._max_rows = max(max_mb * _MEGABYTE // (4 * self.dims), 1)

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Return the vectors of some texts, shape (n, dims); see `Embedder.encode`."""
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
            logger.warning("{}: {:,} damaged vectors are made again", self._file, len(found) - len(sound))
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
        """Begin a damaged file anew; where the disk is at fault, go on without."""
        if isinstance(error, sqlite3.OperationalError):
            logger.warning("{}: vectors are not kept ({})", self._file, error)
            return
        logger.warning("{}: damaged ({}); it is begun anew", self._file, error)
        self._file.unlink(missing_ok=True)


def _rows(database: sqlite3.Connection, keys: Sequence[bytes]) -> Iterator[tuple[bytes, bytes, bytes]]:
    for some in (keys[start : start + _KEYS] for start in range(0, len(keys), _KEYS)):
        marks = ",".join("?" * len(some))
        select = f'SELECT key, vector, "check" FROM vectors WHERE key IN ({marks})'  # nosec B608 # only question marks are put in
        yield from database.execute(select, some)
