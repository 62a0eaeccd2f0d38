"""Labels of single messages in the feature store, without reading all of them."""

from __future__ import annotations

import pyarrow as pa
from deltalake import DeltaTable

from batch_nlp.config import EngineConfig
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.tables import connect


def stored_labels(store: FeatureStore, message_ids: list[str], engine: EngineConfig) -> dict[str, str]:
    """Return the latest label of some messages; those without one are left out.

    Parameters
    ----------
    store : FeatureStore
    message_ids : list of str
    engine : EngineConfig
        Limits of the query.
    """
    path = str(store.folder / "labels")
    if not DeltaTable.is_deltatable(path):
        return {}
    with connect(engine) as connection:
        connection.register("labels", DeltaTable(path).to_pyarrow_dataset())
        connection.register("wanted", pa.table({"message_id": pa.array(message_ids, pa.string())}))
        rows = connection.sql(
            """
            SELECT message_id, target FROM labels SEMI JOIN wanted USING (message_id)
            QUALIFY row_number() OVER (PARTITION BY message_id ORDER BY arrived_at DESC, target) = 1
            """
        ).fetchall()
    return {str(message_id): str(target) for message_id, target in rows}
