"""Records of inference batches.

A batch is claimed before it is scored: its record names the files and the time, so that the run after a kill finishes
exactly this batch with the same bytes. Files are recognised by content and never scored twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from batch_nlp.config import DatasetConfig
from batch_nlp.errors import DataError, examples
from batch_nlp.inference.inbox import Arrivals, arrivals
from batch_nlp.inference.past import FILES, Past, file_rows
from batch_nlp.storage.layers import documents
from batch_nlp.storage.problem import DamageError, Problem
from batch_nlp.storage.raw.file_names import size_and_time
from batch_nlp.storage.raw.opening import raw_hash
from batch_nlp.storage.seal import read_sealed, write_sealed

# Name of the predictions in a batch's folder
PREDICTIONS_FILE = "predictions.parquet"
_ADVICE = (
    "Restore it from a backup, or remove it together with the batch's folder in 09_inference/predictions. Its files in "
    "the inbox are then scored again."
)


class BatchState(StrEnum):
    """Progress of a batch."""

    CLAIMED = "claimed"
    SCORED = "scored"
    # the verdict is in the decision log; the response to it may not be finished
    JUDGED = "judged"
    DONE = "done"


@dataclass
class Batch:
    """The record of one inference batch.

    Parameters
    ----------
    name : str
        Time of the claim and the start of the content hash.
    dataset : str
        Name of the dataset whose model scores it.
    predicted_at : str
        ISO time in all its predictions.
    files : dict of str to str
        File name relative to the inbox -> SHA-256 of the content.
    accounts : dict of str to int
        Number of messages by outcome; empty until scored.
    counts : list of int
        Predictions of each class; empty until scored.
    model_version : str or None
        The model that scored it.
    """

    name: str
    dataset: str
    predicted_at: str
    files: dict[str, str]
    state: BatchState = BatchState.CLAIMED
    accounts: dict[str, int] = field(default_factory=dict)
    counts: list[int] = field(default_factory=list)
    model_version: str | None = None

    def facts(self) -> dict[str, Any]:
        """Return what a report shows of the batch: everything except its state."""
        return {name: value for name, value in asdict(self).items() if name != "state"}


class BatchRecords:
    """All batch records, one JSON file per batch. Reading a damaged one raises a `DataError`."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._known = folder, folder.parent / "known"
        # digest -> size and modification time of the file that was hashed
        self._looked: dict[str, tuple[int, int]] = {}

    def past(self, dataset: str) -> Past:
        """Return what is remembered of a dataset's past batches."""
        return Past(self._known / dataset)

    def names(self) -> list[str]:
        """Return the names of the batches that have a record, oldest first."""
        return [name.removesuffix(".json") for name in documents(self._folder)]

    def all(self) -> list[Batch]:
        """Return the records, oldest first."""
        return [self._read(path) for path in self._files()]

    def newest_first(self, dataset: str) -> Iterator[Batch]:
        """Yield the records of a dataset, newest first, read one by one."""
        records = (self._read(self._folder / f"{name}.json") for name in reversed(self.names()))
        return (batch for batch in records if batch.dataset == dataset)

    def read(self) -> tuple[list[Batch], list[Problem]]:
        """Return the sound records, oldest first, without those that retention is removing, and the damaged ones."""
        batches, damaged = list[Batch](), list[Problem]()
        for path in self._files():
            try:
                batches.append(self._read(path))
            except DamageError as error:
                damaged.append(error.problem)
        removed = {dataset: self._removed(dataset) for dataset in {batch.dataset for batch in batches}}
        return [batch for batch in batches if batch.name > removed[batch.dataset]], damaged

    def _removed(self, dataset: str) -> str:
        try:
            return self.past(dataset).removed()
        except DamageError:  # a problem of `Past`
            return ""

    def _files(self) -> list[Path]:
        return [self._folder / f"{name}.json" for name in self.names()]

    @staticmethod
    def _read(path: Path) -> Batch:
        try:
            values = read_sealed(path, _ADVICE, unsealed=True)
            return Batch(**{**values, "state": BatchState(values["state"])})
        except (ValueError, KeyError, TypeError) as error:
            raise DamageError(Problem(path, f"damaged ({error})", _ADVICE)) from error

    def write(self, batch: Batch) -> None:
        """Write a record atomically."""
        write_sealed(self._folder / f"{batch.name}.json", asdict(batch))

    def finish(self, batch: Batch) -> None:
        """Record that a batch is done."""
        batch.state = BatchState.DONE
        self.write(batch)

    def unfinished(self, dataset: str) -> Batch | None:
        """Return the unfinished batch of an earlier run, if there is one."""
        # only the newest batch can be unfinished: it is finished before another one is claimed
        newest = next(self.newest_first(dataset), None)
        return newest if newest is not None and newest.state is not BatchState.DONE else None

    def new_files(self, inbox: Path, dataset: DatasetConfig, min_age: float = 0.0) -> Arrivals:
        """Return the new files in the inbox, which belong to no batch."""
        found = arrivals(inbox, dataset, self._known_files(), min_age)
        self._looked |= found.looked
        return found

    def _known_files(self) -> pa.Table:
        """Return the files of all batches, as rows of `FILES`."""
        names = self.names()
        known = pa.concat_tables([FILES.empty_table(), *(past.known_files(names) for past in Past.of_all(self._known))])
        # records from an earlier release or a backup
        there = pc.is_in(pa.array(names, pa.string()), known["batch"].combine_chunks()).to_pylist()
        unknown = [name for name, found in zip(names, there, strict=True) if not found]
        rows = [row for name in unknown for row in file_rows(name, self._read(self._folder / f"{name}.json").files)]
        return pa.concat_tables([known, pa.Table.from_pylist(rows, FILES)])

    def release(self, batch: Batch) -> None:
        """Remove the record of a batch that handed nothing over: its files are new again."""
        (self._folder / f"{batch.name}.json").unlink(missing_ok=True)

    def claim(self, files: dict[str, str], dataset: str, now: datetime) -> Batch:
        """Claim new files as a batch."""
        batch = Batch(f"{now:%Y%m%dT%H%M%SZ}-{min(files.values())[:8]}", dataset, now.isoformat(), files)
        known = self.past(dataset).files
        if not known.exists() and (earlier := list(self.newest_first(dataset))):  # of an earlier release
            with known.adding(earlier[0].name, first=True) as writer:
                rows = [row for found in reversed(earlier) for row in file_rows(found.name, found.files)]
                writer.write_table(pa.Table.from_pylist(rows, FILES))
        # before the record: entries without a record do not count
        with known.adding(batch.name) as writer:
            writer.write_table(pa.Table.from_pylist(file_rows(batch.name, files, self._looked), FILES))
        self.write(batch)
        return batch


@contextmanager
def batch_files(batch: Batch, inbox: Path) -> Iterator[list[Path]]:
    """Give the files of a claimed batch; raise a `DataError` if one is missing or changed, or changes in the block."""
    files = {inbox / name: digest for name, digest in batch.files.items()}
    before = {file: _look(file) for file in files}
    _refuse_changed(batch, [file for file, digest in files.items() if not before[file] or raw_hash(file) != digest])
    yield list(files)
    # a file that is gone by now was read before
    there = [file for file in files if _look(file) not in (before[file], None)]
    _refuse_changed(batch, [file for file in there if raw_hash(file) != files[file]])


def _look(file: Path) -> tuple[int, int] | None:
    return size_and_time(file) if file.is_file() else None


def _refuse_changed(batch: Batch, files: Sequence[Path]) -> None:
    if files:
        raise DataError(
            f"Batch {batch.name}: {len(files):,} of its file(s) are gone or have changed since it was claimed: "
            f"{examples(files)}. Wait until nothing writes to the inbox, and run again. If the error remains, restore "
            "the file, or remove the batch's record and its folder in 09_inference/predictions."
        )
