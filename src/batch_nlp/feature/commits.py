"""What a run of the feature pipeline brings to the store and to the layers, commit by commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from batch_nlp.contracts import FEATURES_SCHEMA
from batch_nlp.storage.atomic import temporary_name, write_parquet
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.known import KnownMessages
from batch_nlp.storage.label_table import LABELS_SCHEMA
from batch_nlp.storage.layers import Layers

# The layer that keeps what a step puts out
_LAYER_STEPS = {"extract": "intermediate", "clean_text": "primary"}
_LAYER_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("message_id", "user_id", "business_id", "text", "text_hash")),
        ("written_at", pa.timestamp("us", tz="UTC")),
        ("target", pa.string()),
        ("user_since", pa.timestamp("us", tz="UTC")),
        ("user_elite", pa.string()),
        ("user_review_count", pa.float64()),
        ("business_categories", pa.string()),
        ("source_file", pa.string()),
        ("source_line", pa.int64()),
    ]
)


def to_store(features: pd.DataFrame) -> pa.Table:
    """Return the output of the last step as rows of the feature store."""
    return pa.Table.from_pandas(features, schema=FEATURES_SCHEMA, preserve_index=False)


class Commits:
    """Rows on their way to the store; the layers' files appear after the commit that they belong to.

    Features are committed as they come, so that a killed run goes on where it stopped. Labels wait on disk until the
    whole input is known to be good enough: without them no model learns from what was committed. `commits` makes one.

    Parameters
    ----------
    layers, store
        Where the rows go.
    version : str
        Feature version.
    run : str
        Name of the run.
    now : datetime
        When the labels arrived.
    known : KnownMessages
        Tells which label belongs to which text.
    waiting : Path
        Where labels wait.

    Attributes
    ----------
    labels : int
        Labels that the store did not hold.
    """

    def __init__(
        self,
        layers: Layers,
        store: FeatureStore,
        version: str,
        run: str,
        now: datetime,
        known: KnownMessages,
        waiting: Path,
    ) -> None:
        self._layers, self._store, self._version, self._run, self._now = layers, store, version, run, now
        self._known = known
        self._waiting = waiting
        self._writer = pq.ParquetWriter(waiting, LABELS_SCHEMA, compression="zstd", write_page_checksum=True)
        self._outputs: dict[str, list[pa.Table]] = {name: [] for name in (*_LAYER_STEPS, "embedding", "labels")}
        self._files: list[Path] = []
        self._commits = 0
        self._features_before = store.data_version(version).features
        self.labels = 0

    @property
    def rows(self) -> int:
        """Messages since the last commit."""
        return sum(table.num_rows for table in self._outputs["extract"])

    def labelled(self, messages: pd.DataFrame) -> pd.DataFrame:
        """Return the messages with a label that is theirs, of those that `validate` let pass.

        A label belongs to its text: one that came with another text under the same id is not this message's.
        """
        labelled = messages[messages["target"].notna()]
        return labelled[self._known.same_text(labelled["message_id"], labelled["text_hash"])]

    def add(self, outputs: dict[str, pd.DataFrame], labelled: pd.DataFrame) -> int:
        """Take in what the steps made of a batch, and return the number of messages with new features.

        Parameters
        ----------
        outputs : dict of str to DataFrame
            By step.
        labelled : DataFrame
            What `labelled` returned of the batch.
        """
        for step in _LAYER_STEPS:
            self._outputs[step].append(pa.Table.from_pandas(outputs[step], schema=_LAYER_SCHEMA, preserve_index=False))
        features = to_store(outputs["embedding"])
        self._outputs["embedding"].append(features)
        # later commits of a run go before earlier ones, so that the last label counts whatever the commits' size
        arrived_at = self._now + timedelta(microseconds=self._commits)
        labels = labelled.assign(arrived_at=arrived_at)
        self._outputs["labels"].append(pa.Table.from_pandas(labels, schema=LABELS_SCHEMA, preserve_index=False))
        return int(features.num_rows)

    def commit(self) -> None:
        """Commit the features so far, and write what the layers keep."""
        if not self.rows:
            return
        self._commits += 1
        tables = {name: pa.concat_tables(parts) for name, parts in self._outputs.items()}
        if tables["embedding"].num_rows:
            self._store.append_features(self._version, tables["embedding"], self._run)
        self._writer.write_table(tables["labels"], row_group_size=max(tables["labels"].num_rows, 1))
        for step, layer in _LAYER_STEPS.items():
            if tables[step].num_rows:
                folder: Path = getattr(self._layers, layer)
                self._files.append(folder / "messages" / f"{self._run}-{self._commits:04d}.parquet")
                write_parquet(self._files[-1], tables[step])
        for parts in self._outputs.values():
            parts.clear()

    def release_labels(self) -> None:
        """Commit the labels: from now on models learn from what the run brought."""
        self._writer.close()
        with pq.ParquetFile(self._waiting, page_checksum_verification=True) as parquet:
            rows = pa.RecordBatchReader.from_batches(LABELS_SCHEMA, parquet.iter_batches())
            self.labels += self._store.labels.append(rows, self._run)

    def take_back(self) -> None:
        """Leave the store and the layers as they were before the run."""
        self._store.take_back_features(self._version, self._features_before)
        for file in self._files:
            file.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove what waited."""
        self._writer.close()
        self._waiting.unlink(missing_ok=True)


@contextmanager
def commits(
    layers: Layers, store: FeatureStore, version: str, run: str, now: datetime, known: KnownMessages
) -> Iterator[Commits]:
    """Give the commits of a run; what waited and was not released is gone when the block ends."""
    layers.primary.mkdir(parents=True, exist_ok=True)
    waiting = temporary_name(layers.primary / "labels.parquet")
    made = Commits(layers, store, version, run, now, known, waiting)
    try:
        yield made
    finally:
        made.close()
