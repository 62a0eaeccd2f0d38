"""Run the inference pipeline on a batch of new messages, and hand over the predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from loguru import logger
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from batch_nlp.config import ColumnConfig, Config, OutputFormat, Role
from batch_nlp.config.builder import build_steps
from batch_nlp.dataset.expected_values import log_unread_times
from batch_nlp.dataset.message_reader import read_messages
from batch_nlp.errors import DataError, count, examples
from batch_nlp.fields import with_missing
from batch_nlp.inference.batch_records import PREDICTIONS_FILE, Batch, BatchRecords, BatchState, batch_files
from batch_nlp.inference.csv_copy import CSV, write_csv_beside
from batch_nlp.inference.predict import predictions_schema
from batch_nlp.inference.predicted_messages import message_rows, predicted_before
from batch_nlp.progress import progress
from batch_nlp.steps.base import MeteredPipeline, diagram
from batch_nlp.storage.atomic import replacing_folder, write_text
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.known import KnownMessages
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import Ledger, keeping_account
from batch_nlp.storage.outcomes import abstained_name
from batch_nlp.storage.quarantine import REFUSED
from batch_nlp.storage.raw.batches import RawBatch
from batch_nlp.storage.raw.row_estimate import estimated_rows
from batch_nlp.storage.registry import Model
from batch_nlp.storage.samples import PREDICTED, KeptSample, sample_file, sample_schema, write_sample
from batch_nlp.storage.seal import sealed_writer
from batch_nlp.storage.sql import connect
from batch_nlp.threads import prefetched

# Builds the feature pipeline of a run. The runner provides it, since the pipelines never import each other
FeatureSteps = Callable[[duckdb.DuckDBPyConnection, KnownMessages, Ledger], MeteredPipeline]


def run_inference_pipeline(
    config: Config,
    layers: Layers,
    store: FeatureStore,
    model: Model,
    columns: Mapping[str, ColumnConfig],
    feature_steps: FeatureSteps,
    batch: Batch,
) -> None:
    """Score a claimed batch, store its features, hand over its predictions, and record the result.

    `columns` are the source columns to read. `feature_steps` builds the feature pipeline of the model's definition;
    fields that it does not compute stay empty.

    Raises
    ------
    DataError
        If a file cannot be read, or too much of the input is broken.
    AccountingError
        If a message got lost.
    """
    feature_version = model.manifest["data_version"]["feature_version"]
    logger.info("Inference: batch {}, {} file(s), model {}", batch.name, len(batch.files), model.version)
    fields = model.fields
    counts = np.zeros(len(model.outcomes), dtype=np.int64)
    kept = config.inference.output.keep
    schema = predictions_schema(model.manifest["classes"], kept, abstained_name(model.manifest))
    columns = {name: ColumnConfig(Role.raw) for name in kept} | {
        name: column for name, column in columns.items() if not (name in kept and column.role is Role.ignore)
    }
    past = BatchRecords(layers.batches).past(batch.dataset)
    quarantine = layers.inference_quarantine
    with (
        _features_taken_back(store, feature_version),
        keeping_account(quarantine) as ledger,
        connect(config.engine) as connection,
        replacing_folder(layers.predictions / batch.name) as folder,
    ):
        known = KnownMessages(connection, predicted_before(layers, batch, store, feature_version, connection))
        features = feature_steps(connection, known, ledger)
        bound = {"model": model, "predicted_at": batch.predicted_at, "kept_columns": kept}
        predict = MeteredPipeline(build_steps(config.inference.steps, bound, "inference.steps"))
        waiting: list[pa.Table] = []
        sample = KeptSample(config.drift.sample, sample_schema(fields))

        def transformed(batches: Iterator[RawBatch]) -> Iterator[tuple[int, pd.DataFrame]]:
            for raw in batches:
                ledger.receive(raw)
                yield len(raw.rows), with_missing(features.transform(raw.rows), fields)

        with (
            sealed_writer(folder / PREDICTIONS_FILE, schema) as writer,
            past.messages.adding(batch.name) as remembered,
            batch_files(batch, Path(config.inference.inbox)) as files,
            progress("inference", total=estimated_rows(files)) as advance,
            # another thread reads and computes features, this one predicts
            prefetched(transformed(read_messages(config, columns, files, labels=False))) as batches,
        ):
            for read, featured in batches:
                predictions = predict.transform(featured)
                writer.write_table(pa.Table.from_pandas(predictions, schema=schema, preserve_index=False))
                counts += np.bincount(predictions["predicted_class"], minlength=len(counts))
                ledger.done += len(predictions)
                waiting.append(pa.Table.from_pandas(featured, schema=fields.schema, preserve_index=False))
                remembered.write_table(message_rows(batch.name, waiting[-1]))
                sample.add(_with_predictions(waiting[-1], predictions, model.manifest["classes"]))
                if sum(part.num_rows for part in waiting) >= config.engine.commit_rows:
                    _keep_features(store, feature_version, waiting, batch.name)
                advance(read)
        if config.inference.output.format is OutputFormat.csv:
            write_csv_beside(folder / PREDICTIONS_FILE, config.engine.batch_rows)
        _keep_features(store, feature_version, waiting, batch.name)
        features.log()
        predict.log()
        ledger.check_accounts(features.rows | predict.rows)
        _quarantine(config, columns, ledger, quarantine, batch)
    # before the record says that the batch is scored, since later stages need the sample
    write_sample(sample_file(layers, batch.name), sample.rows)
    if not ledger.read:
        logger.warning("No messages in {}. If you expected some, the file may be truncated", examples(batch.files))
    _record(config, layers, model, batch, ledger, counts)
    whole = Pipeline([*features.steps, *predict.steps])
    write_text(layers.diagrams / "inference.html", diagram(whole, "inference pipeline"))


def _quarantine(
    config: Config, columns: Mapping[str, ColumnConfig], ledger: Ledger, folder: Path, batch: Batch
) -> None:
    """Write the quarantine of a batch; raise a `DataError` if too much of its input is broken."""
    ledger.check_share(config.quarantine, folder / REFUSED / f"{batch.name}.parquet")
    left_out = folder / f"{batch.name}.parquet"
    ledger.write_quarantine(left_out)
    log_unread_times(columns, left_out)


def _record(
    config: Config, layers: Layers, model: Model, batch: Batch, ledger: Ledger, counts: NDArray[np.int64]
) -> None:
    """Enter the result into the record of a batch, and log it."""
    batch.accounts = {
        "in": ledger.read,
        "predicted": ledger.done,
        "duplicates": ledger.duplicates + ledger.known,
        "quarantined": ledger.quarantined,
        **({"left_out": ledger.left_out} if config.dataset.messages.where else {}),
    }
    batch.counts = counts.tolist()
    batch.model_version = model.version
    batch.state = BatchState.SCORED
    # name the CSV if there is one: the user asked for it
    suffix = CSV if config.inference.output.format is OutputFormat.csv else ".parquet"
    logger.info(
        "Inference: predictions in {}", (layers.predictions / batch.name / PREDICTIONS_FILE).with_suffix(suffix)
    )
    logger.info(
        "Inference: {} in = {:,} predicted + {} + {:,} quarantined{}",
        count(ledger.read, "message"),
        ledger.done,
        count(ledger.duplicates + ledger.known, "duplicate"),
        ledger.quarantined,
        f" + {ledger.left_out:,} left out" if ledger.left_out else "",
    )


@contextmanager
def _features_taken_back(store: FeatureStore, feature_version: str) -> Iterator[None]:
    """Remove the features of a refused batch: its texts may not belong to the source."""
    before = store.data_version(feature_version).features
    try:
        yield
    except DataError:
        store.take_back_features(feature_version, before)
        raise


def _with_predictions(features: pa.Table, predictions: pd.DataFrame, classes: list[str]) -> pa.Table:
    """Return features with their predictions, as rows of the sample."""
    probabilities = predictions[[f"probability_{name}" for name in classes]].to_numpy()
    predicted = (predictions["predicted_class"].to_numpy(), list(probabilities))
    for field, values in zip(PREDICTED, predicted, strict=True):
        features = features.append_column(field, pa.array(values, field.type))
    return features


def _keep_features(store: FeatureStore, feature_version: str, features: list[pa.Table], run: str) -> None:
    """Commit the features of new messages, so that training need not compute them again."""
    if not features:
        return
    new = store.missing(feature_version, pa.concat_tables(features))
    if new.num_rows:
        store.append_features(feature_version, new, run)
    features.clear()
