"""The messages seen so far, in a database that can spill to disk: memory does not grow with their number."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Self

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray


class Seen(IntEnum):
    """What is known about a message."""

    NEW = 0
    # stored by an earlier run
    STORED = 1
    # seen earlier in this run
    REPEATED = 2
    # its id belongs to another text
    CONFLICT = 3


class KnownMessages:
    """Ids of messages with the hash of their text, in a database that holds them during the run.

    `stored` has the `message_id` and `text_hash` (32 hexadecimal digits) of the messages that earlier runs stored.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, stored: pa.RecordBatchReader | pa.Table | None) -> None:
        self._connection = connection
        # as 128 bits, a hash takes a third of the memory of its digits
        connection.execute("CREATE TABLE known (message_id VARCHAR, text_hash UUID, in_run BOOLEAN)")
        if stored is not None:
            self._remember(stored, in_run=False)

    def __deepcopy__(self, memo: object) -> Self:
        """Return itself: a step that is cloned belongs to the same run."""
        return self

    def look_up(self, message_id: pd.Series[Any], text_hash: pd.Series[Any]) -> NDArray[np.int8]:
        """Return a value of `Seen` for each message of a batch, which may repeat ids, and remember the new ones."""
        batch = pa.table(
            {
                "position": np.arange(len(message_id)),
                "message_id": pa.array(message_id, pa.string()),
                "text_hash": pa.array(text_hash, pa.string()),
            }
        )
        self._connection.register("batch", batch)
        verdicts = self._connection.execute(
            """
            WITH hashed AS (SELECT position, message_id, text_hash::UUID AS text_hash FROM batch),
            ranked AS (
                SELECT *, row_number() OVER same AS copy, first_value(text_hash) OVER same AS first_hash
                FROM hashed WINDOW same AS (PARTITION BY message_id ORDER BY position)
            )
            SELECT CASE
                WHEN coalesce(k.text_hash, first_hash) <> r.text_hash THEN 3
                WHEN k.message_id IS NOT NULL THEN if(k.in_run, 2, 1)
                WHEN copy > 1 THEN 2
                ELSE 0 END::TINYINT
            FROM ranked r LEFT JOIN known k ON r.message_id = k.message_id
            ORDER BY position
            """
        ).fetchnumpy()
        seen = np.asarray(next(iter(verdicts.values())), dtype=np.int8)
        self._connection.unregister("batch")
        self._remember(batch.filter(pa.array(seen == Seen.NEW)), in_run=True)
        return seen

    def unknown(self, message_id: pd.Series[Any]) -> pd.Series[Any]:
        """Return the ids of messages that were neither stored nor seen in this run."""
        self._connection.register("asked", pa.table({"message_id": pa.array(message_id, pa.string())}))
        found = self._connection.execute("SELECT message_id FROM asked ANTI JOIN known USING (message_id)").fetchnumpy()
        self._connection.unregister("asked")
        return pd.Series(found["message_id"], dtype=object)

    def _remember(self, messages: pa.RecordBatchReader | pa.Table, *, in_run: bool) -> None:
        self._connection.register("messages", messages)
        self._connection.execute(
            "INSERT INTO known SELECT message_id, text_hash::UUID, $in_run FROM messages", {"in_run": in_run}
        )
        self._connection.unregister("messages")
