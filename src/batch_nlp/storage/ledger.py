"""The accounts of a run: which rows came in, where they went, and why some were left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import orjson
import pandas as pd
from loguru import logger

from batch_nlp.config import QuarantineConfig
from batch_nlp.errors import AccountingError, DataError, count, printable
from batch_nlp.log import table_lines
from batch_nlp.storage.quarantine import SOURCE_FILE, SOURCE_LINE, Quarantine
from batch_nlp.storage.raw.batches import RawBatch
from batch_nlp.storage.raw.lines import Row

# Values are shortened for people; the row beside a value is complete
VALUE_CHARS = 200
# Lines of the summary that a run ends with
_SUMMARY_LINES = 12
# What a ledger counts
_SELDOM = ("left_out", "labels_alone")
_ACCOUNTS = ("read", "done", "known", "duplicates", "quarantined", *_SELDOM)


def _shown(value: object) -> str:
    try:
        return str(value)
    except RecursionError:
        return f"a {type(value).__name__} nested too deep to be shown"


def _as_json(record: dict[Any, Any]) -> str:
    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY

    def encoded(value: Any) -> bytes:
        return orjson.dumps(value, default=str, option=options)

    try:
        return encoded(record).decode()
    except orjson.JSONEncodeError:  # a value that JSON cannot hold, or that is nested too deep
        plain: dict[str, Any] = {}
        for name, value in record.items():
            try:
                plain[str(name)] = orjson.Fragment(encoded(value))
            except orjson.JSONEncodeError:
                plain[str(name)] = _shown(value)
        return orjson.dumps(plain).decode()


class Ledger:
    """Accounts for every message of a run.

    Steps that leave rows out report them here with the reason; nothing else may drop rows.

    Parameters
    ----------
    quarantine : Path, optional
        Folder where quarantined rows wait on disk until `write_quarantine`; see `keeping_account`.

    Attributes
    ----------
    read : int
        Messages that came in, including broken lines.
    done : int
        Messages that the run delivered: features stored, or predictions written.
    known : int
        Messages that were in the store already.
    duplicates : int
        Messages that came more than once.
    quarantined : int
        Messages that failed their contract.
    left_out : int
        Rows that are not messages by the dataset's condition (``where``).
    labels_alone : int
        Rows with only the label of a message.
    """

    def __init__(self, quarantine: Path | None = None) -> None:
        self.read = self.done = self.known = self.duplicates = self.quarantined = self.left_out = self.labels_alone = 0
        self._quarantine = Quarantine(quarantine)
        # lines that are not rows: no step has seen them
        self._broken = 0
        self._whole: list[Row] = []

    def __deepcopy__(self, memo: object) -> Self:
        """Return itself: a cloned step belongs to the same run."""
        return self

    def receive(self, batch: RawBatch) -> None:
        """Count the messages of a raw batch, and quarantine its broken lines."""
        self.read += len(batch.rows) + len(batch.broken) + batch.left_out
        self.left_out += batch.left_out
        self._broken += len(batch.broken)
        self._whole = batch.whole
        for file, broken in batch.broken:
            self._quarantine.add(
                {
                    "step": "extract",
                    "reason": broken.reason,
                    "value": broken.raw[:VALUE_CHARS],
                    SOURCE_FILE: file,
                    SOURCE_LINE: broken.line,
                    "row": broken.raw,
                }
            )
        self.quarantined += len(batch.broken)

    def quarantine(self, rows: pd.DataFrame, step: str, reason: str, column: str, values: pd.Series[Any]) -> None:
        """Quarantine rows as they are in the source, each with its offending value.

        The rows have `source_file` and `source_line`, and the index of the batch received last.
        """
        for label, record, value in zip(rows.index, rows.to_dict("records"), values, strict=True):
            message_id = record.get("message_id")
            self._quarantine.add(
                {
                    "message_id": message_id if isinstance(message_id, str) else None,
                    "step": step,
                    "reason": reason,
                    "column": column,
                    "value": _shown(value)[:VALUE_CHARS],
                    SOURCE_FILE: record[SOURCE_FILE],
                    SOURCE_LINE: record[SOURCE_LINE],
                    "row": _as_json(self._whole[label] if self._whole else record),
                }
            )
        self.quarantined += len(rows)

    def write_quarantine(self, path: Path) -> None:
        """Write the quarantined rows, if any, to a parquet file, and log a summary.

        The log names file and line but never the texts of messages.
        """
        if not self.quarantined:
            return
        self._quarantine.write(path)
        causes = self._quarantine.causes.most_common()
        table = [("messages", "reason", "column", "first seen in")]
        for cause, number in causes[:_SUMMARY_LINES]:
            file, line = self._quarantine.first[cause]
            table.append((f"{number:,}", cause.reason, cause.column or "-", f"{printable(file)}:{line}"))
        lines = table_lines(table)
        if len(causes) > _SUMMARY_LINES:
            lines.append(f"and {len(causes) - _SUMMARY_LINES} more reasons")
        summary = "\n  ".join(["", *lines])
        are = "is" if self.quarantined == 1 else "are"
        read = count(self.read, "message")
        logger.warning("{:,} of {} {} in quarantine: {}{}", self.quarantined, read, are, path, summary)

    def discard_quarantine(self) -> None:
        """Remove quarantined rows that were not written to a file."""
        self._quarantine.close()

    def check_share(self, limits: QuarantineConfig, path: Path) -> None:
        """Write the quarantine to `path` and raise a `DataError` if too large a share of the messages is in it."""
        messages = self.read - self.left_out
        if messages >= limits.min_messages and self.quarantined > limits.max_share * messages:
            self.write_quarantine(path)
            raise DataError(
                f"{self.quarantined:,} of {self.read:,} messages ({self.quarantined / self.read:.0%}) failed their "
                f"contract, more than quarantine.max_share={limits.max_share:.0%}. Their rows and the reasons are in "
                f"{path}. Fix the source. To use the remaining rows anyway, raise quarantine.max_share."
            )

    def check_accounts(self, steps: Mapping[str, tuple[int, int]] | None = None) -> None:
        """Raise an `AccountingError` if a message is missing or was counted twice.

        `steps` has the rows in and out of each step, to find the step whose account does not add up.
        """
        for name, (rows_in, rows_out) in (steps or {}).items():
            left = sum(number for cause, number in self._quarantine.causes.items() if cause.step == name)
            if name == "extract":
                left -= self._broken
            if name == "remove_duplicates":
                left += self.known + self.duplicates
            if rows_in != rows_out + left:
                raise AccountingError(
                    f"Step {name}: {rows_in:,} messages came in, but {rows_out:,} went on and {left:,} were left out: "
                    f"{self.summary()}"
                )
        out = sum(self.summary().values()) - self.read
        if self.read != out:
            raise AccountingError(f"{self.read:,} messages came in, but {out:,} are accounted for: {self.summary()}")

    def summary(self) -> dict[str, int]:
        """Return the accounts; rare ones only if they are not zero."""
        return {name: getattr(self, name) for name in _ACCOUNTS if name not in _SELDOM or getattr(self, name)}


@contextmanager
def keeping_account(quarantine: Path) -> Iterator[Ledger]:
    """Give the ledger of a run; at the end of the block, rows left in the folder `quarantine` are removed."""
    ledger = Ledger(quarantine)
    try:
        yield ledger
    finally:
        ledger.discard_quarantine()
