"""Compute features of single messages on demand, by another definition than that of the settings."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from batch_nlp.config import Config
from batch_nlp.dataset.message_reader import allowed_message_files, read_messages
from batch_nlp.dataset.schema_check import holds_labels_alone
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.feature.pipeline import (
    FeatureContext,
    build_feature_pipeline,
    feature_fields,
    load_side_tables,
    read_columns,
)
from batch_nlp.progress import progress
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.known import KnownMessages, Seen
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import keeping_account
from batch_nlp.storage.raw.known_files import RawFiles
from batch_nlp.storage.raw.row_estimate import estimated_rows
from batch_nlp.storage.sql import connect
from batch_nlp.threads import prefetched


class _KnownButFor(KnownMessages):
    """Treats all but the wanted messages as stored, so that costly steps do not see them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, wanted: Collection[str]) -> None:
        super().__init__(connection, None)
        self._wanted = wanted

    def look_up(self, message_id: pd.Series[Any], text_hash: pd.Series[Any]) -> NDArray[np.int8]:
        wanted = message_id.isin(self._wanted).to_numpy()
        seen = np.full(len(message_id), Seen.STORED, dtype=np.int8)
        seen[wanted] = super().look_up(message_id[wanted], text_hash[wanted])
        return seen


def add_features(
    config: Config,
    layers: Layers,
    store: FeatureStore,
    definition: FeatureDefinition,
    message_ids: Collection[str],
    run: str,
    now: datetime,
) -> None:
    """Compute the features of some messages by another definition of the same dataset, and add them to the store.

    The messages are read again from the raw files that were ingested by the settings' definition, but not by the other
    one. Messages that the other definition cannot read get no features.
    """
    version, schema = definition.version, feature_fields(definition).schema
    files = _message_files(config, store, version, now)
    with (
        connect(config.engine) as connection,
        keeping_account(layers.feature_quarantine) as ledger,
        progress("features for the champion", total=estimated_rows(files)) as advance,
    ):
        tables = load_side_tables(config, definition, layers, connection)
        known = _KnownButFor(connection, message_ids)
        context = FeatureContext(tables, known, ledger, layers.embedding_cache, config.engine.threads)
        pipeline = build_feature_pipeline(config, definition, context)
        waiting: list[pa.Table] = []
        with prefetched(read_messages(config, read_columns(config, definition), files, labels=False)) as batches:
            for batch in batches:
                ledger.receive(batch)
                features = pipeline.transform(batch.rows)
                ledger.done += len(features)
                if len(features):
                    waiting.append(pa.Table.from_pandas(features, schema=schema, preserve_index=False))
                if sum(part.num_rows for part in waiting) >= config.engine.commit_rows:
                    store.append_features(version, pa.concat_tables(waiting), run)
                    waiting.clear()
                advance(len(batch.rows))
        if waiting:
            store.append_features(version, pa.concat_tables(waiting), run)
        ledger.check_accounts(pipeline.rows)


def _message_files(config: Config, store: FeatureStore, version: str, now: datetime) -> list[Path]:
    """Return the message files ingested by the settings' definition, but not by another version."""
    allowed, _ = allowed_message_files(config)
    own = FeatureDefinition.from_config(config).version
    untaken = {file.digest for file in RawFiles(store, own, now).new(allowed)}
    files = [file.path for file in RawFiles(store, version, now).new(allowed) if file.digest not in untaken]
    return [path for path in files if not holds_labels_alone(config.dataset, path)]
