"""The feature store of a dataset: Delta tables of features and labels.

There is one table of features per feature version, keyed by message, and one table of labels. A commit is visible as a
whole or not at all, and nothing is read from a damaged file: see `delta_table`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from batch_nlp.config import EngineConfig
from batch_nlp.errors import DataError
from batch_nlp.storage import delta_table
from batch_nlp.storage.compaction import compact
from batch_nlp.storage.delta_files import content_version
from batch_nlp.storage.label_table import LabelTable, register_labels
from batch_nlp.storage.problem import Problem, problems_of
from batch_nlp.storage.scratch import on_disk, spool
from batch_nlp.storage.seal import read_sealed
from batch_nlp.storage.sql import connect

# How the folders of feature tables begin; the feature version follows
FEATURES = "features-"
# Of the list of raw files that is kept here, see `raw/known_files.py`
FILES_ADVICE = "Remove it: the next pipeline=feature then reads all of 01_raw again, and computes nothing twice."


@dataclass(frozen=True)
class DataVersion:
    """What a model was trained on: the feature version, and the versions of both Delta tables (-1: none yet)."""

    feature_version: str
    features: int
    labels: int


class FeatureStore:
    """Features and labels of one dataset."""

    def __init__(self, folder: Path, engine: EngineConfig) -> None:
        self.folder = folder
        self.labels = LabelTable(folder / "labels", engine)
        self.engine = engine

    def _features_path(self, feature_version: str) -> Path:
        return self.folder / f"{FEATURES}{feature_version}"

    @staticmethod
    def _table(path: Path, version: int) -> DeltaTable:
        table = delta_table.open_table(path, version)
        if table is None:
            raise DataError(f"{path}: the table is missing. Run pipeline=feature.")
        return table

    def _both(self, feature_version: str) -> tuple[DeltaTable | None, DeltaTable | None]:
        return delta_table.open_table(self._features_path(feature_version)), delta_table.open_table(self.labels.folder)

    def append_features(self, feature_version: str, features: pa.Table, run: str) -> None:
        """Add the features of new messages in one commit."""
        delta_table.append(self._features_path(feature_version), features, {"run": run})

    def take_back_features(self, feature_version: str, version: int) -> None:
        """Restore an earlier version of the table of features (-1: without rows) in one commit."""
        delta_table.take_back(self._features_path(feature_version), version)

    def seal(self) -> None:
        """Seal what a killed run or an earlier release left without a seal; only the holder of the lock may."""
        for table in self.tables():
            delta_table.seal(table)

    def compact(self, pinned: Callable[[], Sequence[DataVersion] | None]) -> None:
        """Keep the tables from growing with the number of commits; only the holder of the lock may.

        `pinned` gives the data versions that stay readable besides the newest, None to remove nothing.
        """
        for table in self.tables():
            compact(table, partial(self._pinned, table, pinned))

    def _pinned(self, table: Path, pinned: Callable[[], Sequence[DataVersion] | None]) -> list[int] | None:
        if (versions := pinned()) is None:
            return None
        if table == self.labels.folder:
            return [version.labels for version in versions]
        return [version.features for version in versions if table == self._features_path(version.feature_version)]

    def labels_version(self) -> int:
        """Return the version that first held the present labels; merging files does not change it."""
        table = delta_table.open_table(self.labels.folder)
        return content_version(table) if table else -1

    def problems(self) -> list[Problem]:
        """Return what is damaged or missing."""
        lists = (partial(read_sealed, path, FILES_ADVICE, unsealed=True) for path in sorted(self.folder.glob("*.json")))
        return [*(problem for table in self.tables() for problem in delta_table.problems(table)), *problems_of(*lists)]

    def tables(self) -> list[Path]:
        """Return the folders of all tables."""
        folders = [*self.folder.glob(f"{FEATURES}*"), self.labels.folder]
        return sorted(folder for folder in folders if folder.is_dir())

    def rows(self) -> tuple[int, int]:
        """Return the number of stored messages, in features of all versions, and of labels."""
        rows = {folder: delta_table.open_table(folder) for folder in self.tables()}
        numbers = {folder: table.to_pyarrow_dataset().count_rows() for folder, table in rows.items() if table}
        labels = numbers.pop(self.labels.folder, 0)
        return sum(numbers.values()), labels

    def data_version(self, feature_version: str) -> DataVersion:
        """Return the present versions of the tables."""
        features, labels = self._both(feature_version)
        return DataVersion(feature_version, features.version() if features else -1, labels.version() if labels else -1)

    def count(self, feature_version: str) -> int:
        """Return the number of messages with features of a version."""
        table = delta_table.open_table(self._features_path(feature_version))
        return table.to_pyarrow_dataset().count_rows() if table else 0

    def count_labelled(self, feature_version: str) -> int:
        """Return the number of messages that have both features of a version and a label."""
        features, labels = self._both(feature_version)
        if features is None or labels is None:
            return 0
        with connect(self.engine) as connection:
            connection.register("features", features.to_pyarrow_dataset())
            connection.register("labels", labels.to_pyarrow_dataset())
            found = connection.sql("SELECT count(*) FROM features SEMI JOIN labels USING (message_id)").fetchall()
        return int(found[0][0])

    def label_fingerprint(self, feature_version: str) -> str:
        """Return a hash of the labels that a model can learn from.

        Reading files again, or computing features by another definition, does not change it.
        """
        features, labels = self._both(feature_version)
        if features is None or labels is None:
            return ""
        with connect(self.engine) as connection:
            connection.register("features", features.to_pyarrow_dataset())
            register_labels(connection, labels)
            row = connection.execute(
                """
                SELECT bit_xor(md5_number_lower(concat_ws(chr(31), message_id, target)))
                FROM latest SEMI JOIN features USING (message_id)
                """
            ).fetchone()
        return f"{row[0]:016x}" if row and row[0] is not None else ""

    def ids(self, feature_version: str) -> pa.RecordBatchReader | None:
        """Return `message_id` and `text_hash` of the stored messages, batch by batch; None without a table."""
        table = delta_table.open_table(self._features_path(feature_version))
        if table is None:
            return None
        return table.to_pyarrow_dataset().scanner(columns=["message_id", "text_hash"]).to_reader()

    def missing(self, feature_version: str, features: pa.Table) -> pa.Table:
        """Return the rows of `features` whose message the store does not hold."""
        table = delta_table.open_table(self._features_path(feature_version))
        if table is None:
            return features
        ids = features["message_id"].combine_chunks()
        # DuckDB would take ten times as long for the few messages of a night
        known = table.to_pyarrow_dataset().to_table(["message_id"], filter=pc.field("message_id").isin(ids))
        return features.filter(pc.invert(pc.is_in(ids, known["message_id"].combine_chunks())))

    def labelled(self, version: DataVersion) -> pd.DataFrame:
        """Return the labelled messages of a data version, oldest first.

        The frame has the columns of the feature table, `target` and `label_source` (a value of `LabelSource`), ordered
        by `written_at`, messages without a time first, and `message_id`. Within `scratch.arrays_on_disk`, texts and
        vectors stay on disk. Raises a `DataError` if there are no features or no labels.
        """
        if version.features < 0 or version.labels < 0:
            missing = "features" if version.features < 0 else "labels"
            raise DataError(
                f"The feature store {self.folder} holds no {missing} (feature version {version.feature_version}). "
                "Run pipeline=feature first. If it finds none, check dataset.label.column and dataset.messages.where."
            )
        features = self._table(self._features_path(version.feature_version), version.features)
        labels = self._table(self.labels.folder, version.labels)
        with connect(self.engine) as connection:
            connection.register("features", features.to_pyarrow_dataset())
            register_labels(connection, labels)
            found = connection.sql(
                """
                SELECT f.*, l.target, l.source AS label_source
                FROM features f JOIN latest l ON f.message_id = l.message_id
                ORDER BY f.written_at NULLS FIRST, f.message_id
                """
            )
            if on_disk():
                reader = found.to_arrow_reader(self.engine.batch_rows)
                table = spool(reader, reader.schema)
            else:
                table = found.to_arrow_table()
        return features_frame(table)

    def features_of(self, feature_version: str, message_ids: list[str]) -> pd.DataFrame:
        """Return the stored features of some messages, in any order; messages without features are left out."""
        table = delta_table.open_table(self._features_path(feature_version))
        if table is None:
            return pd.DataFrame({"message_id": pd.Series([], dtype="str")})
        with connect(self.engine) as connection:
            connection.register("features", table.to_pyarrow_dataset())
            connection.register("wanted", pa.table({"message_id": pa.array(message_ids, pa.string())}))
            found = connection.sql("SELECT * FROM features SEMI JOIN wanted USING (message_id)").to_arrow_table()
        return features_frame(found)


def features_frame(table: pa.Table) -> pd.DataFrame:
    """Return rows of the feature store as a frame; lists of float32 become an object column of vectors."""
    lists = [
        field.name for field in table.schema if pa.types.is_list(field.type) and field.type.value_type == pa.float32()
    ]
    frame: pd.DataFrame = table.drop_columns(lists).to_pandas()
    for name in lists:
        vectors: list[Any] = []  # views: the values are not copied
        for chunk in table[name].chunks:
            values = chunk.flatten().to_numpy()
            vectors += list(values.reshape(len(chunk), len(values) // max(len(chunk), 1)))
        frame[name] = pd.Series(vectors, index=frame.index, dtype=object)
    return frame
