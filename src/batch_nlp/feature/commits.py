"""Writes the results of the feature pipeline to the store and the layers, commit by commit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from batch_nlp.config import ColumnConfig, Role
from batch_nlp.dataset.message_columns import field_name, joins, key_field
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.fields import Fields
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.label_table import LABELS_SCHEMA
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.parquet import WaitingRows
from batch_nlp.storage.raw.file_names import source_name
from batch_nlp.storage.raw.known_files import RawFile

# Messages by layer, and labelled messages
BatchOutputs = tuple[dict[str, pd.DataFrame], list[pd.DataFrame]]


def _layer_schema(definition: FeatureDefinition) -> pa.Schema:
    """Return the columns of a message in the layers."""

    def kept(name: str, column: ColumnConfig) -> pa.Field:
        return pa.field(name, pa.float64() if column.role is Role.number else pa.string())

    own = [
        kept(key_field(name) if column.role is Role.key else field_name(name, column), column)
        for name, column in definition.columns.items()
        if column.role not in (Role.text, Role.time)
    ]
    theirs = [
        kept(f"{one.prefix}_{name}", column)
        for one in joins(definition.columns, definition.side_tables)
        for name, column in one.table.columns.items()
        if column.role not in (Role.time, Role.ignore)
    ]
    written_at = pa.field("written_at", pa.timestamp("us", tz="UTC"))
    texts = [pa.field(name, pa.string()) for name in ("message_id", "text", "text_hash", "target")]
    places = [pa.field("source_file", pa.string()), pa.field("source_line", pa.int64())]
    return pa.schema([*texts, written_at, *own, *theirs, *places])


class Outputs:
    """What the pipeline's steps keep of one batch."""

    def __init__(self) -> None:
        self._layers: dict[str, pd.DataFrame] = {}
        self._labels: list[pd.DataFrame] = []

    def keep(self, layer: str, messages: pd.DataFrame) -> None:
        """Keep the messages of a layer."""
        self._layers[layer] = messages

    def take_labels(self, messages: pd.DataFrame) -> None:
        """Keep messages with their label."""
        self._labels.append(messages)

    def of_batch(self) -> BatchOutputs:
        """Return what was kept since the last call: messages by layer, and labels."""
        found = self._layers, self._labels
        self._layers, self._labels = {}, []
        return found


class Commits:
    """The commits of one run; the layers' files appear after the commit that they belong to.

    Features are committed as they come, so that a killed run continues where it stopped. Labels wait on disk until the
    whole input is known to be good enough: without labels, no model learns from the commits. Use it in
    ``contextlib.closing``, which removes labels that were not released.

    `files` are the sources of the rows. Afterwards, `labels` is the number of labels that the store did not have.
    """

    def __init__(
        self,
        layers: Layers,
        store: FeatureStore,
        definition: FeatureDefinition,
        fields: Fields,
        run: str,
        files: Sequence[RawFile],
    ) -> None:
        self._layers, self._store, self._version, self._run = layers, store, definition.version, run
        self._schema, self._layer_schema = fields.schema, _layer_schema(definition)
        self._sources = {source_name(file.path): file for file in files}
        self._labels = WaitingRows(layers.primary / "labels.parquet", LABELS_SCHEMA)
        self._layer_files: dict[str, WaitingRows] = {}
        self._features: list[pa.Table] = []
        self._files: list[Path] = []
        self._commits = 0
        self._features_before = store.data_version(self._version).features
        self.rows = 0
        self.labels = 0

    def add(self, features: pd.DataFrame, kept: dict[str, pd.DataFrame], labels: list[pd.DataFrame], read: int) -> None:
        """Add the pipeline's results for a batch of `read` rows.

        `kept` has the messages of each layer; labelled messages have `message_id`, `target` and `source_file`.
        """
        self.rows += read
        for layer, messages in kept.items():
            if len(messages):
                table = pa.Table.from_pandas(messages, schema=self._layer_schema, preserve_index=False)
                self._layer_file(layer).add(table)
        self._features.append(pa.Table.from_pandas(features, schema=self._schema, preserve_index=False))
        for labelled in labels:
            self.add_labels(labelled)

    def _layer_file(self, layer: str) -> WaitingRows:
        """Return the file of a layer that appears with the next commit."""
        if layer not in self._layer_files:
            folder: Path = getattr(self._layers, layer)
            path = folder / "messages" / f"{self._run}-{self._commits + 1:04d}.parquet"
            self._layer_files[layer] = WaitingRows(path, self._layer_schema)
        return self._layer_files[layer]

    def add_labels(self, labelled: pd.DataFrame) -> None:
        """Add labels, with the columns `message_id`, `target` and `source_file`."""
        files = labelled["source_file"]
        seen = pd.Series({name: file.first_seen for name, file in self._sources.items()}, dtype="datetime64[us, UTC]")
        rows = labelled.assign(
            source="given",
            confidence=None,
            arrived_at=files.map(seen),
            source_hash=files.map({name: file.digest for name, file in self._sources.items()}),
        )
        table = pa.Table.from_pandas(rows, schema=LABELS_SCHEMA, preserve_index=False)
        if table.num_rows:
            self._labels.add(table)

    def commit(self) -> None:
        """Commit the features so far, and publish the layers' files."""
        if not self.rows:
            return
        self._commits += 1
        self.rows = 0
        if self._features and (features := pa.concat_tables(self._features)).num_rows:
            self._store.append_features(self._version, features, self._run)
        self._features.clear()
        self._files += [file.publish() for file in self._layer_files.values()]
        self._layer_files.clear()

    def release_labels(self) -> None:
        """Commit the labels: from now on, models learn from the run's messages."""
        rows = pa.RecordBatchReader.from_batches(LABELS_SCHEMA, self._labels.read())
        self.labels += self._store.labels.append(rows, self._run).added

    def take_back(self) -> None:
        """Restore the store and the layers to their state before the run."""
        self._store.take_back_features(self._version, self._features_before)
        for file in self._files:
            file.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove what still waits."""
        for file in (self._labels, *self._layer_files.values()):
            file.discard()
