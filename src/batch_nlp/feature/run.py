"""Run the feature pipeline on new files in ``01_raw``, and commit the result to the feature store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pandas as pd
from loguru import logger

from batch_nlp.config import Config
from batch_nlp.dataset.drop_folders import check_raw_dir, log_unread, unread_in_raw_dir
from batch_nlp.dataset.expected_values import log_unread_times
from batch_nlp.dataset.labels import Labels
from batch_nlp.dataset.message_reader import message_files, read_labels, read_messages
from batch_nlp.dataset.schema_check import remember_columns
from batch_nlp.errors import DataError, count, examples
from batch_nlp.feature.commits import BatchOutputs, Commits, Outputs
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.feature.new_files import new_files
from batch_nlp.progress import progress
from batch_nlp.storage.atomic import write_text
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.known import KnownMessages
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import Ledger, keeping_account
from batch_nlp.storage.quarantine import REFUSED
from batch_nlp.storage.raw.batches import RawBatch
from batch_nlp.storage.raw.file_names import ENDINGS_IN_WORDS
from batch_nlp.storage.raw.known_files import RawFile, RawFiles
from batch_nlp.storage.raw.row_estimate import estimated_rows
from batch_nlp.storage.raw.set_aside import SetAside
from batch_nlp.storage.sql import connect
from batch_nlp.threads import prefetched


@dataclass(frozen=True)
class FeatureResult:
    """Result of a run: the feature version, messages by outcome, the number of new labels, and unusable files."""

    feature_version: str
    accounts: dict[str, int]
    labels: int
    set_aside: list[SetAside] = field(default_factory=list)


def run_feature_pipeline(config: Config, layers: Layers, store: FeatureStore, run: str, now: datetime) -> FeatureResult:
    """Ingest new raw files: compute the features of new messages, and add labels.

    There is a commit per ``engine.commit_rows`` messages. New files count as first seen at `now`, the time of the run.

    Raises
    ------
    DataError
        If there is no raw file, the schema has changed, or too much of the input is broken. Such a run leaves nothing
        in the store.
    AccountingError
        If a message got lost.
    """
    definition = FeatureDefinition.from_config(config)
    version, folder, files = definition.version, config.dataset.raw_dir, message_files(config)
    check_raw_dir(config)
    unread = unread_in_raw_dir(config)
    if not files:
        pattern = f"{config.dataset.messages.files} with the ending {ENDINGS_IN_WORDS}"
        problem = f"No message files ({pattern}) in {folder}. Put them there, or set dataset.raw_dir."
        raise DataError(" ".join([problem, *unread]))
    log_unread(unread)
    known_files = RawFiles(store, version, now)
    declared = config.dataset.messages
    reading = {"where": declared.where, "rows": declared.rows}
    written = {"separator": declared.separator, "encoding": declared.encoding}
    reading |= {name: value for name, value in written.items() if value is not None}
    known_files.check_reading(Labels(config.dataset.label).levels, reading)
    arrived = new_files(config, layers, known_files)
    new, messages = arrived.files, arrived.messages
    if not new:
        logger.info("Features: nothing new in {} (feature version {})", folder, version)
        return FeatureResult(version, Ledger().summary(), 0, arrived.set_aside)
    logger.info("Features: {} new file(s) in {} (feature version {})", len(new), folder, version)
    with keeping_account(layers.feature_quarantine) as ledger:
        made = _take_in(config, layers, store, definition, run, new, messages, ledger)
        quarantined = layers.feature_quarantine / f"{run}.parquet"
        ledger.write_quarantine(quarantined)
        log_unread_times(config.dataset.messages.columns, quarantined)
    if not ledger.read:
        names = examples(file.path.name for file in new)
        logger.warning("No messages and no labels in {}. If you expected some, the file may be truncated", names)
    remember_columns(config.dataset, messages, Path(config.inference.inbox), layers)
    known_files.add(new)
    _log_account(ledger, made)
    return FeatureResult(version, ledger.summary(), made, arrived.set_aside)


def _log_account(ledger: Ledger, labels: int) -> None:
    left_out = f" + {ledger.left_out:,} left out" if ledger.left_out else ""
    alone = f" + {count(ledger.labels_alone, 'label')} alone" if ledger.labels_alone else ""
    logger.info(
        "Features: {} read = {:,} new + {:,} known + {} + {:,} quarantined{}{}; {} added",
        count(ledger.read, "message"),
        ledger.done,
        ledger.known,
        count(ledger.duplicates, "duplicate"),
        ledger.quarantined,
        left_out,
        alone,
        count(labels, "label"),
    )


def _take_in(
    config: Config,
    layers: Layers,
    store: FeatureStore,
    definition: FeatureDefinition,
    run: str,
    new: list[RawFile],
    messages: list[Path],
    ledger: Ledger,
) -> int:
    """Run the pipeline on new files, commit the result, and return the number of labels added."""
    # imported late: importing scikit-learn takes longer than everything before
    from batch_nlp.feature.pipeline import (
        FeatureContext,
        build_feature_pipeline,
        feature_fields,
        load_side_tables,
        read_columns,
    )
    from batch_nlp.steps.base import diagram

    outputs = Outputs()
    with (
        connect(config.engine) as connection,
        progress("features", total=estimated_rows(messages)) as advance,
        closing(Commits(layers, store, definition, feature_fields(definition), run, new)) as made,
    ):
        known = KnownMessages(connection, store.ids(definition.version))
        side_tables = load_side_tables(config, definition, layers, connection)
        context = FeatureContext(
            side_tables,
            known,
            ledger,
            layers.embedding_cache,
            config.engine.threads,
            Labels(config.dataset.label),
            outputs.take_labels,
            outputs.keep,
        )
        pipeline = build_feature_pipeline(config, definition, context)

        def transformed(batches: Iterator[RawBatch]) -> Iterator[tuple[int, pd.DataFrame, BatchOutputs]]:
            for batch in batches:
                ledger.receive(batch)
                features = pipeline.transform(batch.rows)
                yield len(batch.rows), features, outputs.of_batch()

        raw = read_messages(config, read_columns(config, definition), messages, labels=True)
        # one thread reads, another runs the pipeline, this one commits
        with prefetched(raw) as batches, prefetched(transformed(batches)) as done:
            for read, features, (kept, labels) in done:
                made.add(features, kept, labels, read)
                ledger.done += len(features)
                advance(read)
                if made.rows >= config.engine.commit_rows:
                    made.commit()
        made.commit()
        pipeline.log()
        side_tables.log()
        taken = set(messages)
        _take_labels(config, [file.path for file in new if file.path not in taken], known, made, ledger)
        _release(config, layers, made, ledger, pipeline.rows, run)
        write_text(layers.diagrams / "feature.html", diagram(pipeline, "feature pipeline"))
        return made.labels


def _take_labels(config: Config, files: list[Path], known: KnownMessages, made: Commits, ledger: Ledger) -> None:
    """Ingest files that contain only labels, and warn about labels of unknown messages."""
    number, unknown = 0, ""
    for labelled in read_labels(config, files, ledger):
        made.add_labels(labelled)
        ids = known.unknown(labelled["message_id"])
        number, unknown = number + len(ids), unknown or examples(ids)
    if number:
        logger.warning(
            "{:,} of {:,} labels from label files have unknown message ids, such as {}. They count once these messages "
            "arrive. If the messages should be known, check which column is the id",
            number,
            ledger.labels_alone,
            unknown,
        )


def _release(
    config: Config, layers: Layers, made: Commits, ledger: Ledger, rows: dict[str, tuple[int, int]], run: str
) -> None:
    """Check the accounts, and release the labels; if too much of the input is broken, take the run back."""
    ledger.check_accounts(rows)
    try:
        ledger.check_share(config.quarantine, layers.feature_quarantine / REFUSED / f"{run}.parquet")
    except (DataError, OSError):
        made.take_back()
        raise
    made.release_labels()
