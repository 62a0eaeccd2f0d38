"""Predict a batch again, and store the result beside its first predictions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from batch_nlp.errors import DataError
from batch_nlp.inference.batch_records import PREDICTIONS_FILE, Batch
from batch_nlp.inference.csv_copy import CSV, write_csv_beside
from batch_nlp.inference.predict import Predict, kept_columns, predictions_schema
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.outcomes import abstained_name
from batch_nlp.storage.parquet import stream_parquet
from batch_nlp.storage.registry import Model
from batch_nlp.storage.seal import check_file, sealed_writer

REWEIGHTED_FILE = "reweighted.parquet"


def rescored_file(version: str) -> str:
    """Return the name of the file with the predictions of another model version."""
    return f"rescored-{version}.parquet"


def rescore(layers: Layers, store: FeatureStore, model: Model, batch: Batch, at: str, rows: int) -> list[int]:
    """Predict a scored batch with the new champion, in the order of its first predictions.

    Holds `rows` messages in memory at a time. Returns the new predictions of each class. Raises a `DataError` if the
    store lacks features that the model needs.
    """
    version = model.manifest["data_version"]["feature_version"]

    def parts() -> Iterator[pd.DataFrame]:
        for first in _first_predictions(layers, batch, rows):
            ids = first["message_id"].to_pylist()
            features = store.features_of(version, ids)
            if len(features) < len(ids):
                raise DataError(
                    f"Batch {batch.name} cannot be scored again by {model.version}: the store has features of version "
                    f"{version} for only {len(features):,} of {len(ids):,} messages. The first predictions stay valid."
                )
            again = Predict(model, at).transform(features.set_index("message_id", drop=False).loc[ids])
            yield again.assign(**{name: first[name].to_pylist() for name in kept_columns(first.schema)})

    return _write(layers, batch, rescored_file(model.version), model, parts(), rows)


def predict_reweighted(
    layers: Layers,
    model: Model,
    batch: Batch,
    at: str,
    rows: int,
    factors: NDArray[np.float64],
) -> list[int]:
    """Adjust a batch's predictions to other class shares than those of the training; return the new counts by class.

    `model` must have scored the batch. `factors`, shape (n_classes,), multiply the odds of each class: present share
    divided by the share in training.
    """
    classes = list(model.manifest["classes"])
    columns = [f"probability_{name}" for name in classes]

    def parts() -> Iterator[pd.DataFrame]:
        for table in _first_predictions(layers, batch, rows):
            frame = table.to_pandas()
            probabilities = frame[columns].to_numpy() * factors
            probabilities /= probabilities.sum(axis=1, keepdims=True)
            predicted, outcomes = model.decide(probabilities), model.outcomes
            frame[columns] = probabilities
            frame["predicted_class"] = predicted.astype(np.int16)
            frame["predicted_label"] = [outcomes[index] for index in predicted]
            frame["predicted_at"] = pd.Timestamp(at).as_unit("us")
            yield frame

    return _write(layers, batch, REWEIGHTED_FILE, model, parts(), rows)


def _first_predictions(layers: Layers, batch: Batch, rows: int) -> Iterator[pa.Table]:
    path = layers.predictions / batch.name / PREDICTIONS_FILE
    check_file(path)
    for part in stream_parquet(path, rows):
        yield pa.Table.from_batches([part])


def _write(
    layers: Layers, batch: Batch, name: str, model: Model, parts: Iterator[pd.DataFrame], rows: int
) -> list[int]:
    """Write new predictions with the copied columns of the first ones, also as CSV if the first ones are."""
    first = layers.predictions / batch.name / PREDICTIONS_FILE
    kept, manifest = kept_columns(pq.read_schema(first)), model.manifest
    schema = predictions_schema(list(manifest["classes"]), kept, abstained_name(manifest))
    counts = np.zeros(len(model.outcomes), dtype=np.int64)
    with sealed_writer(first.with_name(name), schema) as writer:
        for part in parts:
            writer.write_table(pa.Table.from_pandas(part, schema=schema, preserve_index=False))
            counts += np.bincount(part["predicted_class"], minlength=len(counts))
    if first.with_suffix(CSV).exists():
        write_csv_beside(first.with_name(name), rows)
    values: list[int] = counts.tolist()
    return values
