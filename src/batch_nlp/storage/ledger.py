"""The accounts of a run: what came in, where it went, and why rows were left out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Self

import orjson
import pandas as pd
import pyarrow as pa
from loguru import logger

from batch_nlp.errors import AccountingError, DataError
from batch_nlp.storage.atomic import write_parquet
from batch_nlp.storage.raw import SOURCE_FILE, SOURCE_LINE, BrokenRow, RawBatch

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
# a value is shown to a person; the row beside it is complete
VALUE_CHARS = 200


def _shown(value: object) -> str:
    try:
        return str(value)
    except RecursionError:
        return f"a {type(value).__name__} nested too deep to be shown"


def _as_json(record: dict[Any, Any]) -> str:
    try:
        return orjson.dumps(record, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY).decode()
    except orjson.JSONEncodeError:  # a value that JSON cannot hold, or one nested too deep
        return orjson.dumps({str(name): _shown(value) for name, value in record.items()}).decode()


class Ledger:
    """Keeps account of every message of a run.

    Steps that leave rows out hand them over with the reason; nothing else may drop a row.

    Attributes
    ----------
    read : int
        Messages that came in, broken lines included.
    done : int
        Messages that the run delivered: features stored, or predictions handed over.
    known : int
        Messages that the store held already.
    duplicates : int
        Messages that came more than once.
    reasons : Counter
        Quarantined messages by step and reason.
    """

    def __init__(self) -> None:
        self.read = 0
        self.done = 0
        self.known = 0
        self.duplicates = 0
        self.reasons: Counter[tuple[str, str]] = Counter()
        self._quarantine: list[dict[str, Any]] = []

    def __deepcopy__(self, memo: object) -> Self:
        """Return itself: a step that is cloned belongs to the same run."""
        return self

    @property
    def quarantined(self) -> int:
        """Messages that failed their contract."""
        return sum(self.reasons.values())

    def receive(self, batch: RawBatch) -> None:
        """Enter the messages of a raw batch, and put its broken lines into quarantine."""
        self.read += len(batch.rows) + len(batch.broken)
        for broken in batch.broken:
            self._quarantine.append(self._broken_entry(batch.file, broken))
            self.reasons["extract", broken.reason.partition(":")[0]] += 1

    @staticmethod
    def _broken_entry(file: Path, broken: BrokenRow) -> dict[str, Any]:
        return {
            "step": "extract",
            "reason": broken.reason,
            "value": broken.raw[:VALUE_CHARS],
            SOURCE_FILE: file.name,
            SOURCE_LINE: broken.line,
            "row": broken.raw,
        }

    def quarantine(self, rows: pd.DataFrame, step: str, reason: str, column: str, values: pd.Series[Any]) -> None:
        """Put rows into quarantine.

        Parameters
        ----------
        rows : DataFrame
            The rows, with `source_file` and `source_line`.
        step, reason, column : str
            Where, why, and on account of which column.
        values : Series
            The offending value of each row.
        """
        for record, value in zip(rows.to_dict("records"), values, strict=True):
            message_id = record.get("message_id")
            self._quarantine.append(
                {
                    "message_id": message_id if isinstance(message_id, str) else None,
                    "step": step,
                    "reason": reason,
                    "column": column,
                    "value": _shown(value)[:VALUE_CHARS],
                    SOURCE_FILE: record[SOURCE_FILE],
                    SOURCE_LINE: record[SOURCE_LINE],
                    "row": _as_json(record),
                }
            )
        self.reasons[step, reason] += len(rows)

    def write_quarantine(self, path: Path) -> None:
        """Write the quarantined rows to a parquet file; without any, write none."""
        if not self._quarantine:
            return
        write_parquet(path, pa.Table.from_pylist(self._quarantine, schema=QUARANTINE_SCHEMA))
        logger.warning(
            "{:,} of {:,} messages are in quarantine: {} ({})",
            self.quarantined,
            self.read,
            path,
            "; ".join(f"{count:,} {reason}" for (_, reason), count in self.reasons.most_common(5)),
        )

    def check_share(self, max_share: float, min_messages: int, path: Path) -> None:
        """Stop a run whose input is mostly broken.

        Raises
        ------
        DataError
            If more than `max_share` of at least `min_messages` messages are in quarantine.
        """
        if self.read >= min_messages and self.quarantined > max_share * self.read:
            raise DataError(
                f"{self.quarantined:,} of {self.read:,} messages ({self.quarantined / self.read:.0%}) failed their "
                f"contract, more than quarantine.max_share={max_share:.0%}. Their rows and the reasons are in {path}. "
                "Mend the source, or raise the limit if the rest is to be used."
            )

    def check_accounts(self) -> None:
        """Compare what came in with what went out.

        Raises
        ------
        AccountingError
            If a message is missing or was counted twice.
        """
        out = self.done + self.known + self.duplicates + self.quarantined
        if self.read != out:
            raise AccountingError(f"{self.read:,} messages came in and {out:,} are accounted for: {self.summary()}")

    def summary(self) -> dict[str, int]:
        """Return the accounts."""
        return {
            "read": self.read,
            "done": self.done,
            "known": self.known,
            "duplicates": self.duplicates,
            "quarantined": self.quarantined,
        }
