"""The files and messages of a dataset's batches, including batches that retention has removed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from batch_nlp.storage.history import BATCH, History
from batch_nlp.storage.problem import Problem, problems_of
from batch_nlp.storage.seal import problems, read_sealed, write_sealed

FILES = pa.schema(
    [BATCH, ("digest", pa.string()), ("name", pa.string()), ("size", pa.int64()), ("changed_ns", pa.int64())]
)
MESSAGES = pa.schema([BATCH, ("message_id", pa.string()), ("text_hash", pa.string())])
_ADVICE = (
    "Restore it from a backup, or write a file without a hash that names the newest removed batch: "
    '{"until": "20260102T030405Z-0123abcd"}.'
)


class Past:
    """The files and messages that are remembered of a dataset's batches.

    A batch counts if it has a record, or if retention removed it. So a person can remove a record by hand to have its
    files scored again.

    Parameters
    ----------
    folder : Path
        ``09_inference/known/<dataset>``.
    """

    def __init__(self, folder: Path) -> None:
        self.files, self.messages = History(folder / "files", FILES), History(folder / "messages", MESSAGES)
        self._file = folder / "removed.json"

    @staticmethod
    def of_all(root: Path) -> list[Past]:
        """Return the past of every dataset."""
        return [Past(folder) for folder in sorted(root.glob("[!.]*/"))]

    def removed(self) -> str:
        """Return the newest batch that retention removed or is removing, with all before it; empty if there is none."""
        return str(read_sealed(self._file, _ADVICE, unsealed=True)["until"]) if self._file.exists() else ""

    def remove(self, until: str) -> None:
        """Record that all batches up to one are about to be removed."""
        write_sealed(self._file, {"until": until})

    def known_files(self, records: Collection[str]) -> pa.Table:
        """Return the files of the batches that count, rows of `FILES`; `records` names the batches with a record."""
        parts = [pq.read_table(path, page_checksum_verification=True) for path in self.files.files()]
        rows = pa.concat_tables(parts) if parts else FILES.empty_table()
        there = pc.is_in(rows["batch"], pa.array(records, pa.string()))
        return rows.filter(pc.or_(there, pc.less_equal(rows["batch"], self.removed())))

    def batches(self, records: Collection[str]) -> list[str]:
        """Return those of some batches that belong to this dataset."""
        found = self.known_files(records)["batch"]
        return list(pc.unique(found.filter(pc.is_in(found, pa.array(records, pa.string())))).to_pylist())

    def problems(self) -> list[Problem]:
        """Return what is damaged or missing. Until it is restored, no inference works."""
        found = [problem for history in (self.files, self.messages) for problem in problems(history.folder)]
        return [*found, *problems_of(self.removed)]

    def merge(self) -> None:
        """Keep the number of files small; only the holder of the lock may, while no batch of the dataset is open."""
        self.files.merge()
        self.messages.merge()


def among(rows: pa.Table, values: Iterable[str], *columns: str) -> Iterator[tuple[Any, ...]]:
    """Return columns of the rows whose value in the first of these columns is among `values`."""
    found = rows.filter(pc.is_in(rows[columns[0]], pa.array(values, pa.string())))
    return zip(*(found[column].to_pylist() for column in columns), strict=True)


def file_rows(
    batch: str, files: Mapping[str, str], looked: Mapping[str, tuple[int, int]] | None = None
) -> list[dict[str, Any]]:
    """Return rows of `FILES`; `looked` maps digests to size and time of change, if known."""
    rows = []
    for name, digest in files.items():
        size, changed = (looked or {}).get(digest, (None, None))
        rows.append({"batch": batch, "digest": digest, "name": name, "size": size, "changed_ns": changed})
    return rows
