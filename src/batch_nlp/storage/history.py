"""The files and messages of all batches, including those that are no longer kept.

Each batch adds a small parquet file; ten of them are merged into one, ten of those into a larger one, and so on. So a
row is rewritten once per tenfold growth, and there are never more than a few dozen files. A killed run may leave the
parts of a merged file: they are not read a second time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from batch_nlp.storage.parquet import gathered, stream_parquet
from batch_nlp.storage.problem import DamageError
from batch_nlp.storage.seal import check_file, problems, remove_sealed, sealed_writer

BATCH = pa.field("batch", pa.string())
# Level and newest batch of a part
_PART = re.compile(r"(\d)-(.+)\.parquet")
_MERGED = 10
# Level of the part that takes over an earlier release's state: it covers all parts before it
_FIRST_LEVEL = 9
# Rows of a row group of a merged file
_GROUP_ROWS = 50_000


class History:
    """Rows added by the batches of one dataset, in the order of the batches' names; `schema` includes `BATCH`."""

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self.folder = folder
        self._schema = schema

    def exists(self) -> bool:
        """Return whether any batch has added rows."""
        return bool(self._parts())

    def _parts(self) -> list[tuple[int, str]]:
        """Return level and newest batch of the parts that hold each row once, the oldest first."""
        found = (_PART.fullmatch(path.name) for path in self.folder.glob("[!.]*.parquet"))
        every = [(int(part[1]), part[2]) for part in found if part]
        covered = {level: max((name for above, name in every if above > level), default="") for level, _ in every}
        return sorted(((level, name) for level, name in every if name > covered[level]), key=lambda part: part[1])

    def _path(self, level: int, name: str) -> Path:
        return self.folder / f"{level}-{name}.parquet"

    def files(self, but: str = "") -> list[Path]:
        """Return the files with all rows, after checking them; the part of the batch `but` is left out.

        Raises a `DamageError` if one is damaged or missing.
        """
        if found := problems(self.folder):
            raise DamageError(found[0])
        return [self._path(level, name) for level, name in self._parts() if (level, name) != (0, but)]

    def adding(self, batch: str, first: bool = False) -> AbstractContextManager[pq.ParquetWriter]:
        """Give a writer for the rows of a batch, all or nothing; they replace what the batch added before.

        With `first`, the rows are those of all batches up to that one.
        """
        return sealed_writer(self._path(_FIRST_LEVEL if first else 0, batch), self._schema)

    def merge(self) -> None:
        """Merge parts when there are many; only the holder of the lock may, and only while no batch is open."""
        while full := [level for level, number in self._levels().items() if number >= _MERGED]:
            names = [name for level, name in self._parts() if level == full[0]]
            with sealed_writer(self._path(full[0] + 1, names[-1]), self._schema) as writer:
                for rows in gathered(_batches([self._path(full[0], name) for name in names]), _GROUP_ROWS):
                    writer.write_table(rows)
        needed = {self._path(*part) for part in self._parts()}
        remove_sealed(path for path in self.folder.glob("[!.]*.parquet") if path not in needed)

    def _levels(self) -> Counter[int]:
        return Counter(level for level, _ in self._parts() if level < _FIRST_LEVEL - 1)


def _batches(parts: list[Path]) -> Iterator[pa.RecordBatch]:
    for path in parts:
        check_file(path)
        yield from stream_parquet(path)
