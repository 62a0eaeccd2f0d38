"""The labels of a dataset: a Delta table keyed by message, source, and time of arrival."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from loguru import logger

from batch_nlp.config import EngineConfig
from batch_nlp.errors import examples
from batch_nlp.storage import delta_table
from batch_nlp.storage.seal import check_file
from batch_nlp.storage.sql import connect


class LabelSource(StrEnum):
    """Who assigned a label."""

    GIVEN = "given"
    PERSON = "person"
    RULES = "rules"
    CLUSTERS = "clusters"
    ZERO_SHOT = "zero_shot"


# Columns that tables of earlier releases lack come last, since Delta adds them there
LABELS_SCHEMA = pa.schema(
    [
        ("message_id", pa.string()),
        ("target", pa.string()),
        # when the file that brought the label was first seen
        ("arrived_at", pa.timestamp("us", tz="UTC")),
        ("source_file", pa.string()),
        # a value of `LabelSource`; earlier releases left it null for given labels
        ("source", pa.string()),
        # between 0 and 1, for a machine's label
        ("confidence", pa.float64()),
        # SHA-256 of the content of the file
        ("source_hash", pa.string()),
    ]
)
_LABELS_A_COMMIT = 500_000
# The label of the least rank counts, then the latest, then the alphabetically first
_RANK = """
    CREATE TEMP MACRO rank_of(source) AS
    CASE WHEN source = 'person' THEN 0 WHEN source IN ('rules', 'clusters', 'zero_shot') THEN 2 ELSE 1 END
"""
_LABELS = """
    CREATE TEMP VIEW labels AS
    SELECT * REPLACE (coalesce(source, 'given') AS source), rank_of(source) AS rank FROM stored_labels
"""
_LATEST = """
    CREATE TEMP VIEW latest AS SELECT message_id, target, source FROM labels
    QUALIFY row_number() OVER (PARTITION BY message_id ORDER BY rank, arrived_at DESC, target, source) = 1
"""
# The last row per message and file (identified by its time), if it is later than the stored label of the same rank
_NEWS = """
    CREATE TEMP TABLE news AS
    WITH arrived AS MATERIALIZED (
        SELECT *, rank_of(source) AS rank, min(target) OVER file IS DISTINCT FROM max(target) OVER file AS torn
        FROM (SELECT *, row_number() OVER () AS position FROM new)
        WINDOW file AS (PARTITION BY message_id, rank, arrived_at)
        QUALIFY row_number() OVER (PARTITION BY message_id, rank, arrived_at ORDER BY position DESC) = 1
    ),
    known AS (
        SELECT message_id, rank, target, arrived_at FROM labels SEMI JOIN arrived USING (message_id, rank)
        QUALIFY row_number() OVER (PARTITION BY message_id, rank ORDER BY arrived_at DESC, target) = 1
    )
    SELECT a.*, k.target AS known_target FROM arrived a LEFT JOIN known k USING (message_id, rank)
    WHERE k.arrived_at IS NULL OR a.arrived_at > k.arrived_at
"""
_CONFLICTS = """
    SELECT message_id, count(*) OVER () FROM news
    GROUP BY message_id, rank HAVING count(DISTINCT target) > 1 OR bool_or(torn) ORDER BY min(position) LIMIT 5
"""
# A label that is stored already is stored again if a file in between had another one, which would be news if read alone
_ADDED = """
    WITH last AS (
        SELECT *, bool_or(target IS DISTINCT FROM known_target) OVER (PARTITION BY message_id, rank) AS changed
        FROM news
        QUALIFY row_number() OVER (PARTITION BY message_id, rank ORDER BY arrived_at DESC) = 1
    )
    SELECT message_id, target, arrived_at, source_file, source, confidence, source_hash FROM last
    WHERE changed ORDER BY position
"""


@dataclass(frozen=True)
class Appended:
    """What happened to new labels.

    `added` counts the labels that change something: the message had none of that rank, or another one. `conflicts`
    counts messages with different labels in rows that arrived together, in one file or in several.
    """

    added: int
    conflicts: int


def register_labels(connection: duckdb.DuckDBPyConnection, table: DeltaTable | None) -> None:
    """Register a table of labels with a database as ``labels``, and each message's valid label as ``latest``.

    A person's label takes precedence over a given one, and a given one over a machine's. Within a rank the latest
    label counts, and among labels that arrived together the alphabetically first.
    """
    # null in columns that a table of an earlier release lacks
    stored = table.to_pyarrow_dataset().replace_schema(LABELS_SCHEMA) if table else LABELS_SCHEMA.empty_table()
    connection.register("stored_labels", stored)
    for statement in (_RANK, _LABELS, _LATEST):
        connection.execute(statement)


class LabelTable:
    """Labels as they have arrived."""

    def __init__(self, folder: Path, engine: EngineConfig) -> None:
        self.folder = folder
        self._engine = engine

    @contextmanager
    def _connected(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with connect(self._engine) as connection:
            register_labels(connection, delta_table.open_table(self.folder))
            yield connection

    def append(self, labels: pa.Table | pa.RecordBatchReader, run: str) -> Appended:
        """Add the labels that change something, rows of `LABELS_SCHEMA`, in commits of half a million.

        Labels that are not later than the message's stored label of the same rank are ignored, so reading a file again
        undoes no correction. If several rows of a message arrived together, the last one counts. If files disagree
        about a message, the later one counts, with a warning.
        """
        number = 0
        with self._connected() as connection:
            connection.register("new", labels)
            connection.execute(_NEWS)
            conflicts = _warn_of_conflicts(connection)
            for batch in connection.sql(_ADDED).to_arrow_reader(_LABELS_A_COMMIT):
                if batch.num_rows:
                    if not number:
                        delta_table.add_columns(self.folder, LABELS_SCHEMA)  # missing in tables of earlier releases
                    delta_table.append(self.folder, pa.Table.from_batches([batch]).cast(LABELS_SCHEMA), {"run": run})
                    number += int(batch.num_rows)
        return Appended(number, conflicts)

    def arrivals(self) -> dict[str, datetime]:
        """Return when each file with labels was first seen, by the SHA-256 of its content."""
        with self._connected() as connection:
            found = connection.sql(
                "SELECT source_hash, min(arrived_at) AS at FROM labels WHERE source_hash IS NOT NULL GROUP BY ALL"
            ).to_arrow_table()
        return {row["source_hash"]: row["at"] for row in found.to_pylist()}

    def of(self, message_ids: list[str]) -> dict[str, str]:
        """Return the label of some messages; messages without one are left out."""
        with self._connected() as connection:
            connection.register("wanted", pa.table({"message_id": pa.array(message_ids, pa.string())}))
            rows = connection.sql(
                "SELECT message_id, target FROM latest SEMI JOIN wanted USING (message_id)"
            ).fetchall()
        return {str(message_id): str(target) for message_id, target in rows}

    def count_in(self, messages: Sequence[Path], first: str, last: str) -> int:
        """Return how many messages of the batches from `first` to `last` have a label.

        `messages` are parquet files, already checked, with the columns `batch` and `message_id`.
        """
        if not messages:
            return 0
        with self._connected() as connection:
            row = connection.execute(
                """
                SELECT count(DISTINCT message_id) FROM read_parquet($files) SEMI JOIN labels USING (message_id)
                WHERE batch BETWEEN $first AND $last
                """,
                {"files": [str(path) for path in messages], "first": first, "last": last},
            ).fetchone()
        return int(row[0]) if row else 0

    def confusion(self, predictions: Sequence[Path]) -> list[tuple[str, str, str, int]]:
        """Count messages by file of predictions, predicted and actual label; messages without a label are left out.

        The parquet files have the columns `message_id` and `predicted_label`.
        """
        if not predictions:
            return []
        for path in predictions:
            check_file(path)
        with self._connected() as connection:
            rows = connection.sql(
                """
                SELECT p.filename, p.predicted_label, l.target, count(*)
                FROM read_parquet(?, filename = true) p JOIN latest l USING (message_id)
                GROUP BY ALL ORDER BY ALL
                """,
                params=[[str(path) for path in predictions]],
            ).fetchall()
        return [(str(file), str(predicted), str(target), int(count)) for file, predicted, target, count in rows]


def _warn_of_conflicts(connection: duckdb.DuckDBPyConnection) -> int:
    found = connection.execute(_CONFLICTS).fetchall()
    if not found:
        return 0
    logger.warning(
        "{:,} message(s) have different labels in rows that arrived together; the later label counts: {}",
        found[0][1],
        examples(message_id for message_id, _ in found),
    )
    return int(found[0][1])
