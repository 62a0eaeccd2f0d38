"""The inbox and the record of what was done with it.

A batch is claimed before it is scored: its record names the files and the time, so that a run after a kill finishes
just that batch, with the same bytes. A file is recognised by its content, and never scored twice.
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
from batch_nlp.storage.raw.opening import raw_hash
from batch_nlp.storage.sealed_json import documents, read_sealed, write_sealed

# What a batch's folder of predictions holds
PREDICTIONS_FILE = "predictions.parquet"
_ADVICE = (
    "Restore it from a backup, or remove it together with the folder of the batch in 09_inference/predictions: files "
    "of it that are in the inbox are then scored again."
)


class BatchState(StrEnum):
    """How far a batch has come."""

    CLAIMED = "claimed"
    SCORED = "scored"
    # the verdict is in the decision log; what follows from it may not be done yet
    JUDGED = "judged"
    DONE = "done"


@dataclass
class Batch:
    """The record of one inference batch.

    Parameters
    ----------
    name : str
        Time of the claim and the start of the content's hash.
    dataset : str
        Name of the dataset whose model scores it.
    predicted_at : str
        ISO time that all its predictions carry.
    files : dict of str to str
        File name in the inbox, below it for a part of a table -> SHA-256 of its content.
    state : BatchState
    accounts : dict of str to int
        Messages in, predicted, duplicates, quarantined; empty until scored.
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
        """Return what a report says of the batch: all but how far it has come."""
        return {name: value for name, value in asdict(self).items() if name != "state"}


class BatchRecords:
    """All records, one JSON file a batch.

    Parameters
    ----------
    folder : Path
        Where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # digest -> size and time of change of the file that was looked at
        self._looked: dict[str, tuple[int, int]] = {}

    def past(self, dataset: str) -> Past:
        """Return what is remembered of a dataset's batches."""
        return Past(self._known / dataset)

    @property
    def _known(self) -> Path:
        return self._folder.parent / "known"

    def names(self) -> list[str]:
        """Return the names of the batches that have a record, oldest first."""
        return [name.removesuffix(".json") for name in documents(self._folder)]

    def all(self) -> list[Batch]:
        """Return the records, oldest first.

        Raises
        ------
        DataError
            If one cannot be read.
        """
        return [self._read(path) for path in self._files()]

    def newest_first(self, dataset: str) -> Iterator[Batch]:
        """Yield the records of a dataset, the newest first, read one by one.

        Raises
        ------
        DataError
            If one cannot be read.
        """
        records = (self._read(self._folder / f"{name}.json") for name in reversed(self.names()))
        return (batch for batch in records if batch.dataset == dataset)

    def problems(self) -> list[str]:
        """Return what is wrong with the records, a sentence for each that names its file; empty where all is well."""
        found = []
        for path in self._files():
            try:
                self._read(path)
            except DataError as error:
                found.append(str(error))
        return found

    def _files(self) -> list[Path]:
        return [self._folder / f"{name}.json" for name in self.names()]

    @staticmethod
    def _read(path: Path) -> Batch:
        try:
            values = read_sealed(path, _ADVICE, unsealed=True)
            return Batch(**{**values, "state": BatchState(values["state"])})
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}: damaged ({error}). {_ADVICE}") from error

    def write(self, batch: Batch) -> None:
        """Write a record, all or nothing."""
        write_sealed(self._folder / f"{batch.name}.json", asdict(batch))

    def finish(self, batch: Batch) -> None:
        """Enter that nothing is left to do for a batch."""
        batch.state = BatchState.DONE
        self.write(batch)

    def unfinished(self, dataset: str) -> Batch | None:
        """Return the batch of a dataset that an earlier run began and did not finish."""
        # it is gone on with before a newer one is claimed
        newest = next(self.newest_first(dataset), None)
        return newest if newest is not None and newest.state is not BatchState.DONE else None

    def new_files(self, inbox: Path, dataset: DatasetConfig, min_age: float = 0.0) -> Arrivals:
        """Return what is in the inbox and in no batch."""
        found = arrivals(inbox, dataset, self._known_files(), min_age)
        self._looked |= found.looked
        return found

    def _known_files(self) -> pa.Table:
        """Return what is known of the files of all batches, rows of `FILES`."""
        names = self.names()
        known = pa.concat_tables([FILES.empty_table(), *(past.known_files(names) for past in Past.of_all(self._known))])
        # records of an earlier release, or from a backup
        there = pc.is_in(pa.array(names, pa.string()), known["batch"].combine_chunks()).to_pylist()
        unknown = [name for name, found in zip(names, there, strict=True) if not found]
        rows = [row for name in unknown for row in file_rows(name, self._read(self._folder / f"{name}.json").files)]
        return pa.concat_tables([known, pa.Table.from_pylist(rows, FILES)])

    def release(self, batch: Batch) -> None:
        """Forget a batch of which nothing was handed over: its files are new again."""
        (self._folder / f"{batch.name}.json").unlink(missing_ok=True)

    def claim(self, files: dict[str, str], dataset: str, now: datetime) -> Batch:
        """Make a batch of new files; from now on they are its own."""
        batch = Batch(f"{now:%Y%m%dT%H%M%SZ}-{min(files.values())[:8]}", dataset, now.isoformat(), files)
        known = self.past(dataset).files
        if not known.exists() and (earlier := list(self.newest_first(dataset))):  # of an earlier release
            with known.adding(earlier[0].name, first=True) as writer:
                rows = [row for found in reversed(earlier) for row in file_rows(found.name, found.files)]
                writer.write_table(pa.Table.from_pylist(rows, FILES))
        # before the record: without one, what is known of a batch does not count
        with known.adding(batch.name) as writer:
            writer.write_table(pa.Table.from_pylist(file_rows(batch.name, files, self._looked), FILES))
        self.write(batch)
        return batch


@contextmanager
def batch_files(batch: Batch, inbox: Path) -> Iterator[list[Path]]:
    """Give the files of a claimed batch to a block that reads them, after checking that they are what was claimed.

    Raises
    ------
    DataError
        If one is gone or has changed since, or has changed while the block read it.
    """
    files = {inbox / name: digest for name, digest in batch.files.items()}
    before = {file: _size_and_time(file) for file in files}
    _refuse_changed(batch, [file for file, digest in files.items() if not before[file] or raw_hash(file) != digest])
    yield list(files)
    # one that is gone by now was read as it was
    there = [file for file in files if _size_and_time(file) not in (before[file], None)]
    _refuse_changed(batch, [file for file in there if raw_hash(file) != files[file]])


def _size_and_time(file: Path) -> tuple[int, int] | None:
    status = file.stat() if file.is_file() else None
    return (status.st_size, status.st_mtime_ns) if status else None


def _refuse_changed(batch: Batch, files: Sequence[Path]) -> None:
    if files:
        raise DataError(
            f"Batch {batch.name}: {len(files):,} of its file(s) are gone or have changed since it was begun: "
            f"{examples(files)}. Let whatever writes there finish: the next run takes what is in the inbox then. If it "
            "says so again, put the file back, or remove the batch's record and its folder in 09_inference/predictions."
        )
