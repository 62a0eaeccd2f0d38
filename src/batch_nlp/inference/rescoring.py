"""Second predictions of a batch, kept beside those that were handed over first."""

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
from batch_nlp.storage.registry import Model
from batch_nlp.storage.sealed_files import check_file, replacing_sealed

REWEIGHTED_FILE = "reweighted.parquet"


def rescored_file(version: str) -> str:
    """Return the name of the file with what another version of the model predicts."""
    return f"rescored-{version}.parquet"


def rescore(layers: Layers, store: FeatureStore, model: Model, batch: Batch, at: str, rows: int) -> list[int]:
    """Predict a batch again with another model, in the order of its first predictions.

    Parameters
    ----------
    layers, store
        Where predictions and features live.
    model : Model
        The new champion.
    batch : Batch
        Scored before.
    at : str
        ISO time that the new predictions carry.
    rows : int
        Messages to hold in memory at a time.

    Returns
    -------
    list of int
        New predictions of each class.

    Raises
    ------
    DataError
        If the store does not hold the features that the model needs.
    """
    version = model.manifest["data_version"]["feature_version"]

    def parts() -> Iterator[pd.DataFrame]:
        for first in _first_predictions(layers, batch, rows):
            ids = first["message_id"].to_pylist()
            features = store.features_of(version, ids)
            if len(features) < len(ids):
                raise DataError(
                    f"Batch {batch.name} cannot be scored again by {model.version}: the store holds features of "
                    f"version {version} for {len(features):,} of {len(ids):,} messages. Its first predictions stand."
                )
            again = Predict(model, at).transform(features.set_index("message_id", drop=False).loc[ids])
            yield again.assign(**{name: first[name].to_pylist() for name in kept_columns(first.schema)})

    return _write(layers, batch, rescored_file(model.version), list(model.manifest["classes"]), parts(), rows)


def predict_reweighted(
    layers: Layers,
    model: Model,
    batch: Batch,
    at: str,
    rows: int,
    factors: NDArray[np.float64],
) -> list[int]:
    """Predict a batch again for other class shares than those that the model was trained on.

    Parameters
    ----------
    layers, model, batch, at, rows
        As above; the model is the one that scored the batch.
    factors : ndarray of float, shape (n_classes,)
        By which the odds of each class change: share now over share at training.

    Returns
    -------
    list of int
        New predictions of each class.
    """
    classes = list(model.manifest["classes"])
    columns = [f"probability_{name}" for name in classes]

    def parts() -> Iterator[pd.DataFrame]:
        for table in _first_predictions(layers, batch, rows):
            frame = table.to_pandas()
            probabilities = frame[columns].to_numpy() * factors
            probabilities /= probabilities.sum(axis=1, keepdims=True)
            predicted = model.decide(probabilities)
            frame[columns] = probabilities
            frame["predicted_class"] = predicted.astype(np.int16)
            frame["predicted_label"] = [classes[index] for index in predicted]
            frame["predicted_at"] = pd.Timestamp(at).as_unit("us")
            yield frame

    return _write(layers, batch, REWEIGHTED_FILE, classes, parts(), rows)


def _first_predictions(layers: Layers, batch: Batch, rows: int) -> Iterator[pa.Table]:
    path = layers.predictions / batch.name / PREDICTIONS_FILE
    check_file(path)
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for part in file.iter_batches(rows):
            yield pa.Table.from_batches([part])


def _write(
    layers: Layers, batch: Batch, name: str, classes: list[str], parts: Iterator[pd.DataFrame], rows: int
) -> list[int]:
    """Write second predictions with the kept columns of the first ones, and as CSV where those are."""
    first = layers.predictions / batch.name / PREDICTIONS_FILE
    schema = predictions_schema(classes, kept_columns(pq.read_schema(first)))
    counts = np.zeros(len(classes), dtype=np.int64)
    with (
        replacing_sealed(first.with_name(name)) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd", write_page_checksum=True) as writer,
    ):
        for part in parts:
            writer.write_table(pa.Table.from_pandas(part, schema=schema, preserve_index=False))
            counts += np.bincount(part["predicted_class"], minlength=len(counts))
    if first.with_suffix(CSV).exists():
        write_csv_beside(first.with_name(name), rows)
    values: list[int] = counts.tolist()
    return values
