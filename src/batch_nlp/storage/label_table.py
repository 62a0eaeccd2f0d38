"""The labels of a dataset: a Delta table keyed by message and the time at which the label arrived."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from batch_nlp.config import EngineConfig
from batch_nlp.storage import seals
from batch_nlp.storage.sealed_files import check_file
from batch_nlp.storage.tables import connect

LABELS_SCHEMA = pa.schema(
    [
        ("message_id", pa.string()),
        ("target", pa.string()),
        ("arrived_at", pa.timestamp("us", tz="UTC")),
        ("source_file", pa.string()),
    ]
)
_LABELS_A_COMMIT = 500_000
# What is added to an empty table, the last row of each message; and to one with labels: of those only the new messages'
# are looked at
_ALL = """
    SELECT message_id, target, arrived_at, source_file FROM (SELECT *, row_number() OVER () AS position FROM new)
    QUALIFY row_number() OVER (PARTITION BY message_id ORDER BY position DESC) = 1 ORDER BY position
"""
_ADDED = """
    WITH last AS MATERIALIZED (
        SELECT * FROM (SELECT *, row_number() OVER () AS position FROM new)
        QUALIFY row_number() OVER (PARTITION BY message_id ORDER BY position DESC) = 1
    ),
    known AS (
        SELECT message_id, target FROM labels SEMI JOIN last USING (message_id)
        QUALIFY row_number() OVER (PARTITION BY message_id ORDER BY arrived_at DESC, target) = 1
    )
    SELECT l.message_id, l.target, l.arrived_at, l.source_file FROM last l LEFT JOIN known k USING (message_id)
    WHERE k.target IS DISTINCT FROM l.target ORDER BY position
"""


def register_labels(connection: duckdb.DuckDBPyConnection, table: DeltaTable | None) -> None:
    """Make a table of labels known to a database, as ``labels``, and the label that counts, as ``latest``.

    The latest label of a message counts; of those that arrived at the same time, the least.
    """
    connection.register("labels", table.to_pyarrow_dataset() if table else LABELS_SCHEMA.empty_table())
    connection.execute(
        """
        CREATE TEMP VIEW latest AS SELECT message_id, target FROM labels
        QUALIFY row_number() OVER (PARTITION BY message_id ORDER BY arrived_at DESC, target) = 1
        """
    )


class LabelTable:
    """Labels as they have arrived.

    Parameters
    ----------
    folder : Path
        Where the table lives.
    engine : EngineConfig
        Limits of the joins.
    """

    def __init__(self, folder: Path, engine: EngineConfig) -> None:
        self.folder = folder
        self._engine = engine

    @contextmanager
    def _connected(self, stored: DeltaTable | None) -> Iterator[duckdb.DuckDBPyConnection]:
        with connect(self._engine) as connection:
            register_labels(connection, stored)
            yield connection

    def append(self, labels: pa.Table | pa.RecordBatchReader, run: str) -> int:
        """Add labels that the table does not hold yet, in one commit for each half a million.

        Parameters
        ----------
        labels : Table or RecordBatchReader
            Rows of `LABELS_SCHEMA`; a message may occur more than once, its last row counts.
        run : str
            Noted in the commits.

        Returns
        -------
        int
            Number of labels added: of messages without one, or with another one.
        """
        number = 0
        stored = seals.open_table(self.folder)
        with self._connected(stored) as connection:
            connection.register("new", labels)
            added = connection.sql(_ADDED if stored else _ALL).to_arrow_reader(_LABELS_A_COMMIT)
            for batch in added:
                if batch.num_rows:
                    seals.append(self.folder, pa.Table.from_batches([batch]).cast(LABELS_SCHEMA), {"run": run})
                    number += int(batch.num_rows)
        return number

    def of(self, message_ids: list[str]) -> dict[str, str]:
        """Return the latest label of some messages; those without one are left out."""
        stored = seals.open_table(self.folder)
        if stored is None:
            return {}
        with self._connected(stored) as connection:
            connection.register("wanted", pa.table({"message_id": pa.array(message_ids, pa.string())}))
            rows = connection.sql(
                "SELECT message_id, target FROM latest SEMI JOIN wanted USING (message_id)"
            ).fetchall()
        return {str(message_id): str(target) for message_id, target in rows}

    def count_in(self, predictions: Sequence[Path]) -> int:
        """Return how many messages of some parquet files with a column `message_id` have a label."""
        stored = seals.open_table(self.folder)
        if stored is None or not predictions:
            return 0
        for path in predictions:
            check_file(path)
        with self._connected(stored) as connection:
            row = connection.execute(
                "SELECT count(DISTINCT message_id) FROM read_parquet(?) SEMI JOIN labels USING (message_id)",
                [[str(path) for path in predictions]],
            ).fetchone()
        return int(row[0]) if row else 0

    def confusion(self, predictions: Sequence[Path]) -> list[tuple[str, str, str, int]]:
        """Count what was predicted and what came as label, file by file.

        Parameters
        ----------
        predictions : sequence of Path
            Parquet files with the columns `message_id` and `predicted_label`.

        Returns
        -------
        list of tuple
            File, predicted label, latest target, and how many messages; messages without a label are left out.
        """
        stored = seals.open_table(self.folder)
        if stored is None or not predictions:
            return []
        for path in predictions:
            check_file(path)
        with self._connected(stored) as connection:
            rows = connection.sql(
                """
                SELECT p.filename, p.predicted_label, l.target, count(*)
                FROM read_parquet(?, filename = true) p JOIN latest l USING (message_id)
                GROUP BY ALL ORDER BY ALL
                """,
                params=[[str(path) for path in predictions]],
            ).fetchall()
        return [(str(file), str(predicted), str(target), int(count)) for file, predicted, target, count in rows]
