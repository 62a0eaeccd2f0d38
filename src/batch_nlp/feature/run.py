"""Runs the feature pipeline on what is new in ``01_raw`` and commits the result to the feature store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd
from loguru import logger

from batch_nlp.config import Config
from batch_nlp.errors import DataError
from batch_nlp.feature.commits import commits
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.dataset.schema import check_schema, remember_columns
from batch_nlp.dataset.side_tables import SideTables, prepare_side_table
from batch_nlp.feature.sources import Sources
from batch_nlp.log import progress
from batch_nlp.prefetch import prefetched
from batch_nlp.storage.atomic import write_text
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.known import KnownMessages
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import Ledger, keeping_account
from batch_nlp.storage.raw import find_files, read_batches
from batch_nlp.storage.tables import connect


@dataclass(frozen=True)
class FeatureResult:
    """What a run of the feature pipeline did.

    Parameters
    ----------
    feature_version : str
        Version of the features.
    accounts : dict
        Where the messages went.
    labels : int
        Labels that the store did not hold.
    """

    feature_version: str
    accounts: dict[str, int]
    labels: int


def run_feature_pipeline(
    config: Config, layers: Layers, store: FeatureStore, inbox: Path, run: str, now: datetime
) -> FeatureResult:
    """Take in the raw files that are new: compute the features of messages that the store does not hold, add labels.

    Parameters
    ----------
    config : Config
        All settings.
    layers : Layers
        Where each layer lives.
    store : FeatureStore
        Takes features and labels, a commit for every ``engine.commit_rows`` messages.
    inbox : Path
        Where user and business files may have come along with new messages.
    run : str
        Name of the run.
    now : datetime
        When the labels arrived.

    Returns
    -------
    FeatureResult

    Raises
    ------
    DataError
        If there is no raw file, one cannot be read, their schema has changed, or too much of the input is broken; of
        such a run nothing stays.
    AccountingError
        If a message got lost.
    """
    definition = FeatureDefinition.from_config(config)
    version = definition.version
    folder = Path(config.dataset.raw_dir)
    files = find_files(folder, config.dataset.tables.message)
    if not files:
        raise DataError(
            f"No message files ({config.dataset.tables.message}.json, .jsonl, .csv, each also .gz, or .parquet) in "
            f"{folder}. Put them there or set dataset.raw_dir."
        )
    sources = Sources(store, version)
    new = sources.new(files)
    if not new:
        logger.info("Features: nothing new in {} (feature version {})", folder, version)
        return FeatureResult(version, Ledger().summary(), 0)
    # imported when there is something to do: scikit-learn takes longer than all that comes before
    from batch_nlp.feature.pipeline import Surroundings, build_feature_pipeline
    from batch_nlp.steps.base import StepRunner, diagram

    logger.info("Features: {} new file(s) in {} (feature version {})", len(new), folder, version)
    columns = config.dataset.columns
    check_schema(config.dataset, columns, new, inbox, layers, labels=True)
    users, businesses = (
        prepare_side_table(config.dataset, table, inbox, layers, config.engine) for table in ("user", "business")
    )
    quarantine, limits = layers.feature_quarantine, config.quarantine
    with (
        keeping_account(quarantine) as ledger,
        connect(config.engine) as connection,
        progress("features") as advance,
    ):
        known = KnownMessages(connection, store.ids(version))
        surroundings = Surroundings(
            SideTables(connection, users, businesses), known, ledger, layers.embedding_cache, config.engine
        )
        runner = StepRunner(build_feature_pipeline(definition, list(config.dataset.target_map), surroundings))
        with commits(layers, store, version, run, now, known) as made:

            def checked() -> Iterator[tuple[int, dict[str, pd.DataFrame], pd.DataFrame]]:
                for batch in read_batches(
                    new,
                    (columns.message_id, columns.text, columns.date),
                    (columns.target, columns.user_id, columns.business_id),
                    config.engine.batch_rows,
                    config.dataset.ignored_columns,
                ):
                    ledger.receive(batch)
                    outputs = dict(runner.transform(batch.rows, last="remove_duplicates"))
                    yield len(batch.rows), outputs, made.labelled(outputs["validate"])

            with prefetched(checked()) as batches:
                for read, outputs, labelled in batches:
                    outputs |= runner.transform(outputs["remove_duplicates"], first="clean_text")
                    ledger.done += made.add(outputs, labelled)
                    advance(read)
                    if made.rows >= config.engine.commit_rows:
                        made.commit()
            made.commit()
            runner.log()
            ledger.check_accounts(runner.rows)
            if ledger.too_much_broken(limits.max_share, limits.min_messages):
                made.take_back()
                refused = quarantine / "refused" / f"{run}.parquet"
                ledger.write_quarantine(refused)
                ledger.check_share(limits.max_share, limits.min_messages, refused)
            made.release_labels()
        ledger.write_quarantine(quarantine / f"{run}.parquet")
    remember_columns(config.dataset, columns, new, inbox, layers)
    sources.add(new)
    write_text(layers.diagrams / "feature.html", diagram(runner.pipeline, "feature pipeline"))
    logger.info(
        "Features: {:,} messages read = {:,} new + {:,} known + {:,} duplicates + {:,} quarantined; {:,} labels added",
        ledger.read,
        ledger.done,
        ledger.known,
        ledger.duplicates,
        ledger.quarantined,
        made.labels,
    )
    return FeatureResult(version, ledger.summary(), made.labels)
