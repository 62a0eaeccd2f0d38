"""The quarantine of a run: rows that were left out, each with the reason, in a file for people.

Rows go to disk during the run, under a temporary name, so that memory does not grow with them. The file appears only
when the run writes it: a killed run, or one that left nothing out, has none.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from batch_nlp.errors import count
from batch_nlp.storage.parquet import WaitingRows, stream_parquet
from batch_nlp.storage.problem import UNREADABLE, Problem, Severity

SOURCE_FILE, SOURCE_LINE = "source_file", "source_line"
QUARANTINE_SCHEMA = pa.schema(
    [
        ("message_id", pa.string()),
        ("step", pa.string()),
        ("reason", pa.string()),
        ("column", pa.string()),
        ("value", pa.string()),
        (SOURCE_FILE, pa.string()),
        (SOURCE_LINE, pa.int64()),
        ("row", pa.string()),
    ]
)
# Folders beside quarantine files: for rows that were put back, and for runs that were refused as a whole
REQUEUED, REFUSED = "requeued", "refused"
# Rows wait in memory up to these numbers of rows and characters
_WAITING_ROWS, _WAITING_CHARS = 5000, 2**23


class Cause(NamedTuple):
    """Why rows were left out."""

    step: str
    reason: str
    column: str


class Place(NamedTuple):
    """Where a row came from."""

    file: str
    line: int


class Quarantine:
    """Rows that a run left out.

    `causes` counts them by step, reason and column, and `first` has the first row of each cause. Rows wait under a
    temporary name in `folder`: that of the final file, or one above it. None keeps rows in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.causes: Counter[Cause] = Counter()
        self.first: dict[Cause, Place] = {}
        self._folder = folder
        self._waiting: list[dict[str, Any]] = []
        self._chars = 0
        self._part: WaitingRows | None = None

    def add(self, entry: dict[str, Any]) -> None:
        """Add a row of `QUARANTINE_SCHEMA`."""
        column, reason = entry.get("column") or "", entry["reason"]
        # reasons for broken lines may end in a place in the line, after a colon
        cause = Cause(entry["step"], reason if column else reason.partition(":")[0], column)
        self.causes[cause] += 1
        self.first.setdefault(cause, Place(entry[SOURCE_FILE], int(entry[SOURCE_LINE])))
        self._waiting.append(entry)
        self._chars += len(entry["row"])
        if self._folder and (len(self._waiting) >= _WAITING_ROWS or self._chars >= _WAITING_CHARS):
            self._spill(self._folder)

    def _spill(self, folder: Path) -> WaitingRows:
        """Write the rows in memory to disk, and return the file with all rows."""
        self._part = self._part or WaitingRows(folder / "quarantine.parquet", QUARANTINE_SCHEMA)
        self._part.add(pa.Table.from_pylist(self._waiting, schema=QUARANTINE_SCHEMA))
        self._waiting, self._chars = [], 0
        return self._part

    def write(self, path: Path) -> None:
        """Write the rows, if there are any, to a file, all or nothing."""
        if self.causes:
            self._spill(self._folder or path.parent).publish(path)
            self._part = None

    def close(self) -> None:
        """Remove rows that were not written to a file."""
        if self._part is not None:
            self._part.discard()
            self._part = None


def problems(folder: Path, batch: str, expected: int, batch_rows: int) -> list[Problem]:
    """Return what is wrong with the quarantined rows of a batch; `expected` is the number in the batch's record."""
    # after rows were put back, the folder `requeued` has the whole file, and this one the rows that stayed
    files = (folder / REQUEUED / f"{batch}.parquet", folder / f"{batch}.parquet")
    path = next((file for file in files if file.exists()), files[-1])
    if not path.exists():
        if not expected:
            return []
        action = "Nothing if you removed it. Otherwise restore it from a backup: without it, the rows cannot be fixed."
        return [Problem(path, f"missing, with {count(expected, 'message')} of the batch", action, Severity.WARNING)]
    try:
        rows = sum(part.num_rows for part in stream_parquet(path, batch_rows))
    except UNREADABLE as error:
        action = "Restore it from a backup, or take the rows from the files that the batch's record names."
        return [Problem(path, f"cannot be read ({error})", action)]
    if rows == expected:
        return []
    what = f"holds {count(rows, 'row')}, but the batch's record says {expected:,}"
    return [Problem(path, what, "Restore the file or the record from a backup.")]
