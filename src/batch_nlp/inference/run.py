"""Run the inference pipeline on a batch of new messages, and hand over the predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from loguru import logger
from sklearn.pipeline import Pipeline

from batch_nlp.config import ColumnConfig, Config, OutputFormat, Role
from batch_nlp.config.builder import build_steps
from batch_nlp.dataset.expected_values import log_unread_times
from batch_nlp.dataset.message_reader import read_messages
from batch_nlp.errors import DataError, count, examples
from batch_nlp.fields import KEYS, with_missing
from batch_nlp.inference.batch_records import PREDICTIONS_FILE, Batch, BatchRecords, BatchState, batch_files
from batch_nlp.inference.csv_copy import CSV, write_csv_beside
from batch_nlp.inference.past import MESSAGES
from batch_nlp.inference.predict import predictions_schema
from batch_nlp.progress import progress
from batch_nlp.steps.base import MeteredPipeline, diagram
from batch_nlp.storage.atomic import replacing_folder, write_text
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.history import BATCH
from batch_nlp.storage.known import KnownMessages
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import Ledger, keeping_account
from batch_nlp.storage.raw.batches import RawBatch
from batch_nlp.storage.raw.row_estimate import estimated_rows
from batch_nlp.storage.registry import Model
from batch_nlp.storage.samples import (
    PREDICTED,
    KeptSample,
    sample_file,
    sample_schema,
    write_sample,
)
from batch_nlp.storage.seal import checked_files, replacing_sealed
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
    """Score a batch, store its features, hand over its predictions, and record the result.

    Parameters
    ----------
    config : Config
        All settings.
    layers, store
        Location of data and features.
    model : Model
        The champion.
    columns : mapping of str to ColumnConfig
        Source columns to read.
    feature_steps : callable
        Builds the feature pipeline of the model's definition; fields that it does not compute stay empty.
    batch : Batch
        A claimed batch; scored on return.

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
    counts = np.zeros(len(model.manifest["classes"]), dtype=np.int64)
    kept = config.inference.output.keep
    schema = predictions_schema(model.manifest["classes"], kept)
    columns = {name: ColumnConfig(Role.raw) for name in kept} | {
        name: column for name, column in columns.items() if not (name in kept and column.role is Role.ignore)
    }
    past = BatchRecords(layers.batches).past(batch.dataset)
    quarantine, limits = layers.inference_quarantine, config.quarantine
    with (
        _features_taken_back(store, feature_version),
        keeping_account(quarantine) as ledger,
        connect(config.engine) as connection,
        replacing_folder(layers.predictions / batch.name) as folder,
    ):
        known = KnownMessages(connection, _predicted_before(layers, batch, store, feature_version, connection))
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
            replacing_sealed(folder / PREDICTIONS_FILE) as file,
            pq.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True) as writer,
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
                remembered.write_table(_message_rows(batch.name, waiting[-1]))
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
        if ledger.too_much_broken(limits.max_share, limits.min_messages):
            refused = quarantine / "refused" / f"{batch.name}.parquet"
            ledger.write_quarantine(refused)
            ledger.check_share(limits.max_share, limits.min_messages, refused)
        left_out = quarantine / f"{batch.name}.parquet"
        ledger.write_quarantine(left_out)
        log_unread_times(columns, left_out)
    # before the record says that the batch is scored, since later stages need the sample
    write_sample(sample_file(layers, batch.name), sample.rows)
    if not ledger.read:
        logger.warning("No messages in {}. If you expected some, the file may be truncated", examples(batch.files))
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
    whole = Pipeline([*features.steps, *predict.steps])
    write_text(layers.diagrams / "inference.html", diagram(whole, "inference pipeline"))
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


def _message_rows(batch: str, features: pa.Table) -> pa.Table:
    """Return rows of `MESSAGES`."""
    names = pa.array([batch] * features.num_rows, pa.string())
    return features.select(MESSAGES.names[1:]).add_column(0, BATCH, names)


def _predicted_before(
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
