"""The feature store of a dataset: Delta tables of features and labels.

One table of features for each feature version, keyed by message, and one table of labels, keyed by message with the
time at which the label arrived; the latest label counts. A commit is visible whole or not at all, and nothing is
read from a damaged file: see `seals`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from deltalake import DeltaTable

from batch_nlp.config import EngineConfig
from batch_nlp.errors import DataError
from batch_nlp.storage import seals
from batch_nlp.storage.scratch import on_disk, spool
from batch_nlp.storage.sealed_files import check_file
from batch_nlp.storage.sealed_json import read_sealed
from batch_nlp.storage.tables import connect

LABELS_SCHEMA = pa.schema(
    [
        ("message_id", pa.string()),
        ("target", pa.string()),
        ("arrived_at", pa.timestamp("us", tz="UTC")),
        ("source_file", pa.string()),
    ]
)
# Of the lists of raw files that were taken in, which the feature pipeline keeps here
SOURCES_ADVICE = "Remove it: the next pipeline=feature then reads all of 01_raw again, and computes nothing twice."
_LABELS_A_COMMIT = 500_000
_LATEST_LABELS = """
    CREATE TEMP VIEW latest AS SELECT message_id, target FROM labels
    QUALIFY row_number() OVER (PARTITION BY message_id ORDER BY arrived_at DESC, target) = 1
"""


@dataclass(frozen=True)
class DataVersion:
    """What a model was trained on.

    Parameters
    ----------
    feature_version : str
        Which definition the features follow.
    features, labels : int
        Versions of the two Delta tables; -1 where there is none yet.
    """

    feature_version: str
    features: int
    labels: int


class FeatureStore:
    """Features and labels of one dataset.

    Parameters
    ----------
    folder : Path
        Where the tables live.
    engine : EngineConfig
        Limits of the joins.
    """

    def __init__(self, folder: Path, engine: EngineConfig) -> None:
        self.folder = folder
        self._engine = engine

    def _features_path(self, feature_version: str) -> Path:
        return self.folder / f"features-{feature_version}"

    @property
    def _labels_path(self) -> Path:
        return self.folder / "labels"

    @staticmethod
    def _table(path: Path, version: int) -> DeltaTable:
        table = seals.open_table(path, version)
        if table is None:
            raise DataError(f"{path}: there is no table any more. Run pipeline=feature.")
        return table

    def append_features(self, feature_version: str, features: pa.Table, run: str) -> None:
        """Add the features of new messages in one commit."""
        seals.append(self._features_path(feature_version), features, {"run": run})

    def take_back_features(self, feature_version: str, version: int) -> None:
        """Make the table of features what it was at an earlier version of it (-1: without rows), in one commit."""
        seals.take_back(self._features_path(feature_version), version)

    def append_labels(self, labels: pa.Table | pa.RecordBatchReader, run: str) -> int:
        """Add labels that the store does not hold yet, in one commit for each half a million.

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
        with connect(self._engine) as connection:
            connection.register("new", labels)
            stored = seals.open_table(self._labels_path)
            connection.register("labels", stored.to_pyarrow_dataset() if stored else LABELS_SCHEMA.empty_table())
            connection.execute(_LATEST_LABELS)
            added = connection.sql(
                """
                WITH numbered AS (SELECT *, row_number() OVER () AS position FROM new),
                last AS (SELECT * FROM numbered QUALIFY row_number() OVER (PARTITION BY message_id
                                                                          ORDER BY position DESC) = 1)
                SELECT l.message_id, l.target, l.arrived_at, l.source_file
                FROM last l LEFT JOIN latest k ON l.message_id = k.message_id
                WHERE k.target IS DISTINCT FROM l.target ORDER BY position
                """
            ).to_arrow_reader(_LABELS_A_COMMIT)
            for batch in added:
                if batch.num_rows:
                    seals.append(self._labels_path, pa.Table.from_batches([batch]).cast(LABELS_SCHEMA), {"run": run})
                    number += int(batch.num_rows)
        return number

    def seal(self) -> None:
        """Seal what a killed run, or an earlier release, left without a seal; only the holder of the lock may."""
        for table in self._tables():
            seals.seal(table)

    def problems(self) -> list[str]:
        """Return what is damaged or missing, a sentence for each file that names it; empty where all is well."""
        found = [problem for table in self._tables() for problem in seals.problems(table)]
        for path in sorted(self.folder.glob("sources-*.json")):
            try:
                read_sealed(path, SOURCES_ADVICE, unsealed=True)
            except DataError as error:
                found.append(str(error))
        return found

    def _tables(self) -> list[Path]:
        folders = [*self.folder.glob("features-*"), self._labels_path]
        return sorted(folder for folder in folders if folder.is_dir())

    def data_version(self, feature_version: str) -> DataVersion:
        """Return the versions of the tables as they are now."""
        features, labels = seals.open_table(self._features_path(feature_version)), seals.open_table(self._labels_path)
        return DataVersion(feature_version, features.version() if features else -1, labels.version() if labels else -1)

    def count(self, feature_version: str) -> int:
        """Return the number of messages with features of a version."""
        table = seals.open_table(self._features_path(feature_version))
        return table.to_pyarrow_dataset().count_rows() if table else 0

    def count_labelled(self, feature_version: str) -> int:
        """Return the number of messages that have both features of a version and a label."""
        features, labels = seals.open_table(self._features_path(feature_version)), seals.open_table(self._labels_path)
        if features is None or labels is None:
            return 0
        with connect(self._engine) as connection:
            connection.register("features", features.to_pyarrow_dataset())
            connection.register("labels", labels.to_pyarrow_dataset())
            row = connection.execute(
                "SELECT count(*) FROM (SELECT message_id FROM features SEMI JOIN labels USING (message_id))"
            ).fetchone()
        return int(row[0]) if row else 0

    def ids(self, feature_version: str) -> pa.RecordBatchReader | None:
        """Return `message_id` and `text_hash` of the stored messages, batch by batch; None without a table."""
        table = seals.open_table(self._features_path(feature_version))
        if table is None:
            return None
        return table.to_pyarrow_dataset().scanner(columns=["message_id", "text_hash"]).to_reader()

    def missing(self, feature_version: str, features: pa.Table) -> pa.Table:
        """Return the rows of `features` whose message the store does not hold."""
        stored = self.ids(feature_version)
        if stored is None:
            return features
        with connect(self._engine) as connection:
            connection.register("stored", stored)
            connection.register("new", features.select(["message_id"]))
            known = connection.sql(
                "SELECT DISTINCT message_id FROM stored SEMI JOIN new USING (message_id)"
            ).to_arrow_table()
        ids = set(known["message_id"].to_pylist())
        new = [message_id not in ids for message_id in features["message_id"].to_pylist()]
        return features.filter(pa.array(new, pa.bool_()))

    def labelled(self, version: DataVersion) -> pd.DataFrame:
        """Return the labelled messages of a data version, oldest first.

        Parameters
        ----------
        version : DataVersion
            Which version of each table to read.

        Returns
        -------
        DataFrame
            The columns of the feature table and `target`, ordered by `written_at` and `message_id`. Within
            `scratch.arrays_on_disk` texts and vectors are not in memory.

        Raises
        ------
        DataError
            If there are no features or no labels.
        """
        if version.features < 0 or version.labels < 0:
            missing = "features" if version.features < 0 else "labels"
            raise DataError(
                f"The feature store {self.folder} holds no {missing} (feature version {version.feature_version}). "
                "Run pipeline=feature first."
            )
        features = self._table(self._features_path(version.feature_version), version.features)
        labels = self._table(self._labels_path, version.labels)
        with connect(self._engine) as connection:
            connection.register("features", features.to_pyarrow_dataset())
            connection.register("labels", labels.to_pyarrow_dataset())
            connection.execute(_LATEST_LABELS)
            found = connection.sql(
                """
                SELECT f.*, l.target FROM features f JOIN latest l ON f.message_id = l.message_id
                ORDER BY f.written_at, f.message_id
                """
            )
            if on_disk():
                reader = found.to_arrow_reader(self._engine.batch_rows)
                table = spool(reader, reader.schema)
            else:
                table = found.to_arrow_table()
        return features_frame(table)

    def features_of(self, feature_version: str, message_ids: list[str]) -> pd.DataFrame:
        """Return the stored features of some messages, in no particular order.

        Parameters
        ----------
        feature_version : str
            Which definition.
        message_ids : list of str
            Messages without features of that version are left out.
        """
        table = seals.open_table(self._features_path(feature_version))
        if table is None:
            return pd.DataFrame({"message_id": pd.Series([], dtype="str")})
        with connect(self._engine) as connection:
            connection.register("features", table.to_pyarrow_dataset())
            connection.register("wanted", pa.table({"message_id": pa.array(message_ids, pa.string())}))
            found = connection.sql("SELECT * FROM features SEMI JOIN wanted USING (message_id)").to_arrow_table()
        return features_frame(found)

    def count_labelled_in(self, predictions: Sequence[Path]) -> int:
        """Return how many messages of some parquet files with a column `message_id` have a label."""
        stored = seals.open_table(self._labels_path)
        if stored is None or not predictions:
            return 0
        for path in predictions:
            check_file(path)
        with connect(self._engine) as connection:
            connection.register("labels", stored.to_pyarrow_dataset())
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
        stored = seals.open_table(self._labels_path)
        if stored is None or not predictions:
            return []
        for path in predictions:
            check_file(path)
        with connect(self._engine) as connection:
            connection.register("labels", stored.to_pyarrow_dataset())
            connection.execute(_LATEST_LABELS)
            rows = connection.sql(
                """
                SELECT p.filename, p.predicted_label, l.target, count(*)
                FROM read_parquet(?, filename = true) p JOIN latest l USING (message_id)
                GROUP BY ALL ORDER BY ALL
                """,
                params=[[str(path) for path in predictions]],
            ).fetchall()
        return [(str(file), str(predicted), str(target), int(count)) for file, predicted, target, count in rows]

    def labels_of(self, message_ids: list[str]) -> dict[str, str]:
        """Return the latest label of some messages; those without one are left out."""
        stored = seals.open_table(self._labels_path)
        if stored is None:
            return {}
        with connect(self._engine) as connection:
            connection.register("labels", stored.to_pyarrow_dataset())
            connection.register("wanted", pa.table({"message_id": pa.array(message_ids, pa.string())}))
            connection.execute(_LATEST_LABELS)
            rows = connection.sql(
                "SELECT message_id, target FROM latest SEMI JOIN wanted USING (message_id)"
            ).fetchall()
        return {str(message_id): str(target) for message_id, target in rows}


def features_frame(table: pa.Table) -> pd.DataFrame:
    """Return rows of the feature store as a frame; `embedding` is an object column of float32 vectors."""
    frame: pd.DataFrame = table.drop_columns(["embedding"]).to_pandas()
    vectors: list[Any] = []  # views: the values are not copied
    for chunk in table["embedding"].chunks:
        values = chunk.flatten().to_numpy()
        vectors += list(values.reshape(len(chunk), len(values) // max(len(chunk), 1)))
    frame["embedding"] = pd.Series(vectors, index=frame.index, dtype=object)
    return frame
