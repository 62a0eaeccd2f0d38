"""The messages that earlier batches predicted: they are duplicates in later ones."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from batch_nlp.fields import KEYS
from batch_nlp.inference.batch_records import PREDICTIONS_FILE, Batch, BatchRecords
from batch_nlp.inference.past import MESSAGES
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.history import BATCH
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.seal import checked_files


def message_rows(batch: str, features: pa.Table) -> pa.Table:
    """Return rows of `MESSAGES`."""
    names = pa.array([batch] * features.num_rows, pa.string())
    return features.select(MESSAGES.names[1:]).add_column(0, BATCH, names)


def predicted_before(
    layers: Layers, batch: Batch, store: FeatureStore, feature_version: str, connection: duckdb.DuckDBPyConnection
) -> pa.Table | None:
    """Return `message_id` and `text_hash` of the messages predicted in other batches of the dataset."""
    records = BatchRecords(layers.batches)
    past = records.past(batch.dataset)
    if not past.messages.exists():
        _record_earlier_release(layers, batch, store, feature_version, connection)
    files = [str(file) for file in past.messages.files(but=batch.name)]
    if not files:
        return None
    connection.register("batches_with_a_record", pa.table({"name": pa.array(records.names(), pa.string())}))
    return connection.sql(
        """
        SELECT DISTINCT ON (message_id) message_id, text_hash FROM read_parquet($files)
        WHERE batch <= $removed OR batch IN (SELECT name FROM batches_with_a_record)
        """,
        params={"files": files, "removed": past.removed()},
    ).to_arrow_table()


def _record_earlier_release(
    layers: Layers, batch: Batch, store: FeatureStore, feature_version: str, connection: duckdb.DuckDBPyConnection
) -> None:
    """Record the messages that an earlier release predicted."""
    records = BatchRecords(layers.batches)
    own = {found.name for found in records.newest_first(batch.dataset)} - {batch.name}
    predicted = checked_files(layers.predictions, PREDICTIONS_FILE, but=batch.name)
    files = [str(file) for file in predicted if file.parent.name in own]
    if not files:
        return
    stored = store.ids(feature_version)
    connection.register("stored_features", stored if stored else pa.schema(KEYS).empty_table())
    found = connection.sql(
        """
        SELECT parse_path(p.filename)[-2] AS batch, p.message_id, f.text_hash
        FROM read_parquet(?, filename = true) p LEFT JOIN stored_features f ON p.message_id = f.message_id
        """,
        params=[files],
    )
    with records.past(batch.dataset).messages.adding(max(own), first=True) as writer:
        for rows in found.to_arrow_reader():
            writer.write_table(pa.Table.from_batches([rows]).cast(MESSAGES))
