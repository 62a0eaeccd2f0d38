"""Runs the feature pipeline on what is new in ``01_raw`` and commits the result to the feature store."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
from loguru import logger

from batch_nlp.config import Config
from batch_nlp.contracts import FEATURES_SCHEMA
from batch_nlp.errors import DataError, examples
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.feature.pipeline import Surroundings, build_feature_pipeline
from batch_nlp.feature.side_tables import SideTables, file_identity, prepare_side_table
from batch_nlp.log import progress
from batch_nlp.steps import StepRunner, diagram
from batch_nlp.storage.atomic import write_json, write_parquet, write_text
from batch_nlp.storage.feature_store import LABELS_SCHEMA, FeatureStore
from batch_nlp.storage.known import KnownMessages
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import Ledger
from batch_nlp.storage.raw import find_files, read_batches
from batch_nlp.storage.tables import connect

# The layer that keeps what a step puts out
_LAYER_STEPS = {"extract": "intermediate", "clean_text": "primary"}


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


class _Sources:
    """Which raw files a feature version has taken in completely."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done: list[str] = json.loads(path.read_text())["files"] if path.exists() else []

    def new(self, files: list[Path]) -> list[Path]:
        done = set(self._done)
        return [file for file in files if file_identity(file) not in done]

    def add(self, files: list[Path]) -> None:
        write_json(self._path, {"files": [*self._done, *map(file_identity, files)]})


def to_store(features: pd.DataFrame) -> pa.Table:
    """Return the output of the last step as rows of the feature store."""
    return pa.Table.from_pandas(features, schema=FEATURES_SCHEMA, preserve_index=False)


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
        If there is no raw file, one cannot be read, or too much of the input is broken.
    AccountingError
        If a message got lost.
    """
    definition = FeatureDefinition.from_config(config)
    version = definition.version
    ledger = Ledger()
    folder = Path(config.dataset.raw_dir)
    files = find_files(folder, config.dataset.tables.message)
    if not files:
        raise DataError(
            f"No message files ({config.dataset.tables.message}.json, .jsonl, .csv, each also .gz, or .parquet) in "
            f"{folder}. Put them there or set dataset.raw_dir."
        )
    sources = _Sources(store.folder / f"sources-{version}.json")
    new = sources.new(files)
    if not new:
        logger.info("Features: nothing new in {} (feature version {})", folder, version)
        return FeatureResult(version, ledger.summary(), 0)
    logger.info("Features: {} new file(s) in {} (feature version {})", len(new), folder, version)
    users, businesses = (
        prepare_side_table(config.dataset, table, inbox, layers, config.engine) for table in ("user", "business")
    )
    columns = config.dataset.columns
    quarantine = layers.primary / "quarantine" / f"{run}.parquet"
    with connect(config.engine) as connection, progress("features") as advance:
        known = KnownMessages(connection, store.ids(version))
        surroundings = Surroundings(
            SideTables(connection, users, businesses), known, ledger, layers.embedding_cache, config.engine
        )
        runner = StepRunner(build_feature_pipeline(definition, list(config.dataset.target_map), surroundings))
        chunk = _Chunk(layers, store, version, run, now, known, list(config.dataset.target_map))
        for batch in read_batches(
            new,
            (columns.message_id, columns.text, columns.date),
            (columns.target, columns.user_id, columns.business_id),
            config.engine.batch_rows,
            config.dataset.ignored_columns,
        ):
            ledger.receive(batch)
            ledger.done += chunk.add(dict(runner.transform(batch.rows)))
            advance(len(batch.rows))
            if chunk.rows >= config.engine.commit_rows:
                chunk.commit()
        chunk.commit()
    runner.log()
    if chunk.unknown_labels:
        logger.warning(
            "{:,} label(s) are none of dataset.target_map and are not taken: {}",
            chunk.unknown_labels.total(),
            examples(chunk.unknown_labels),
        )
    ledger.write_quarantine(quarantine)
    ledger.check_accounts()
    ledger.check_share(config.quarantine.max_share, config.quarantine.min_messages, quarantine)
    sources.add(new)
    write_text(layers.diagrams / "feature.html", diagram(runner.pipeline, "feature pipeline"))
    logger.info(
        "Features: {:,} messages read = {:,} new + {:,} known + {:,} duplicates + {:,} quarantined; {:,} labels added",
        ledger.read,
        ledger.done,
        ledger.known,
        ledger.duplicates,
        ledger.quarantined,
        chunk.labels,
    )
    return FeatureResult(version, ledger.summary(), chunk.labels)


class _Chunk:
    """Rows between two commits: the layers' files appear after the commit that they belong to."""

    def __init__(
        self,
        layers: Layers,
        store: FeatureStore,
        version: str,
        run: str,
        now: datetime,
        known: KnownMessages,
        targets: Collection[str],
    ) -> None:
        self._layers, self._store, self._version, self._run, self._now = layers, store, version, run, now
        self._known, self._targets = known, targets
        self._outputs: dict[str, list[pa.Table]] = {name: [] for name in (*_LAYER_STEPS, "embedding", "labels")}
        self._commits = 0
        self.labels = 0
        self.unknown_labels: Counter[str] = Counter()

    @property
    def rows(self) -> int:
        return sum(table.num_rows for table in self._outputs["extract"])

    def add(self, outputs: dict[str, pd.DataFrame]) -> int:
        for step in _LAYER_STEPS:
            self._outputs[step].append(pa.Table.from_pandas(outputs[step], schema=_LAYER_SCHEMA, preserve_index=False))
        features = to_store(outputs["embedding"])
        self._outputs["embedding"].append(features)
        self._outputs["labels"].append(self._label_rows(outputs["extract"]))
        return int(features.num_rows)

    def _label_rows(self, messages: pd.DataFrame) -> pa.Table:
        labelled = messages[messages["target"].notna() & messages["message_id"].notna() & messages["text_hash"].notna()]
        # a label belongs to its text: one that came with another text under the same id is not this message's
        labelled = labelled[self._known.same_text(labelled["message_id"], labelled["text_hash"])]
        # validate never sees the label of a known message: one that is no class must not get past here either
        valid = labelled["target"].isin(self._targets)
        self.unknown_labels.update(labelled["target"][~valid])
        # later commits of a run go before earlier ones, so that the last label counts whatever the commits' size
        arrived_at = self._now + timedelta(microseconds=self._commits)
        return pa.Table.from_pandas(
            labelled[valid].assign(arrived_at=arrived_at), schema=LABELS_SCHEMA, preserve_index=False
        )

    def commit(self) -> None:
        if not self.rows:
            return
        self._commits += 1
        tables = {name: pa.concat_tables(parts) for name, parts in self._outputs.items()}
        if tables["embedding"].num_rows:
            self._store.append_features(self._version, tables["embedding"], self._run)
        self.labels += self._store.append_labels(tables["labels"], self._run)
        for step, layer in _LAYER_STEPS.items():
            if tables[step].num_rows:
                folder = getattr(self._layers, layer)
                write_parquet(folder / "messages" / f"{self._run}-{self._commits:04d}.parquet", tables[step])
        for parts in self._outputs.values():
            parts.clear()


_LAYER_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("message_id", "user_id", "business_id", "text", "text_hash")),
        ("written_at", pa.timestamp("us", tz="UTC")),
        ("target", pa.string()),
        ("user_since", pa.timestamp("us", tz="UTC")),
        ("user_elite", pa.string()),
        ("user_review_count", pa.float64()),
        ("business_categories", pa.string()),
        ("source_file", pa.string()),
        ("source_line", pa.int64()),
    ]
)
