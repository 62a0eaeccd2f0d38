"""What the analysis costs beside the scoring, with the real pipeline and the real champion."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from tests.settings import default

from batch_nlp.config import Config, EngineConfig, SampleConfig
from batch_nlp.feature.pipeline import FeatureContext, build_feature_pipeline, load_side_tables, read_columns
from batch_nlp.inference.batch_records import PREDICTIONS_FILE, Batch, BatchRecords
from batch_nlp.inference.run import run_inference_pipeline
from batch_nlp.monitoring.analyse import analyse
from batch_nlp.sample import write_history
from batch_nlp.steps.base import MeteredPipeline
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.known import KnownMessages
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import Ledger
from batch_nlp.storage.reference import Reference
from batch_nlp.storage.registry import Registry
from batch_nlp.storage.samples import sample_file
from batch_nlp.storage.seal import write_sealed_parquet

WARM, FEW, MANY, ANALYSED = 100, 500, 12_000, 100_000


class World(Protocol):
    config: Config
    registry: Registry
    definition: Any


def test_the_analysis_of_100_000_predictions_takes_under_a_twentieth_of_their_scoring(
    tmp_path: Path, world: World, make_config: Callable[..., Config], embedding_cache: Path, engine: EngineConfig
) -> None:
    """Scoring is timed on fewer messages; what a further message costs is what grows to 100,000.

    Processor time, since other work on the machine must not decide. What a process pays once, such as the load of the
    language model, is paid by a first batch. The sample is as large as it gets.
    """
    config = replace(make_config(tmp_path, f"inference.inbox={tmp_path / 'inbox'}"), engine=engine)
    layers, model = Layers(Path(config.paths.data), "sample"), world.registry.champion()
    assert model is not None
    columns = read_columns(config, world.definition)
    store, records = FeatureStore(layers.feature_store, engine), BatchRecords(layers.batches)

    def steps(connection: duckdb.DuckDBPyConnection, known: KnownMessages, ledger: Ledger) -> MeteredPipeline:
        tables = load_side_tables(config, world.definition, layers, connection)
        context = FeatureContext(tables, known, ledger, embedding_cache, engine)
        return build_feature_pipeline(config, world.definition, context)

    def score(messages: int) -> tuple[Batch, float]:
        write_history(tmp_path / str(messages), default(SampleConfig, messages=messages, seed=messages))
        file = next((tmp_path / str(messages)).glob("*review*"))
        (tmp_path / "inbox").mkdir(exist_ok=True)
        file.rename(tmp_path / "inbox" / f"review_{messages}{''.join(file.suffixes)}")
        files = records.new_files(tmp_path / "inbox", config.dataset).files
        batch = records.claim(files, "sample", datetime(2026, 2, 1, tzinfo=UTC))
        start = time.process_time()
        run_inference_pipeline(config, layers, store, model, columns, steps, batch)
        return batch, time.process_time() - start

    _, (few, seconds_few), (batch, seconds_many) = score(WARM), score(FEW), score(MANY)
    scoring = (seconds_many - seconds_few) / (batch.accounts["predicted"] - few.accounts["predicted"])

    predictions = layers.predictions / batch.name / PREDICTIONS_FILE
    table = pq.read_table(predictions)
    write_sealed_parquet(predictions, pa.concat_tables([table] * -(-ANALYSED // table.num_rows)).slice(0, ANALYSED))
    sample, reference = sample_file(layers, batch.name), Reference.read(world.registry.root / "v0001", model.manifest)
    assert pq.read_metadata(sample).num_rows == config.drift.sample
    start = time.process_time()
    analysis = analyse(
        batch.name, predictions, sample, reference, list(model.manifest["classes"]), config.drift, [], 42
    )
    seconds = time.process_time() - start
    assert len(analysis.tests) > 10
    assert sum(share.messages for share in analysis.verdict.shares) == ANALYSED
    assert seconds < 0.05 * scoring * ANALYSED, f"{seconds:.2f} s beside {scoring * ANALYSED:.1f} s"
    print(f"analysis {seconds:.2f} s, scoring {scoring * ANALYSED:.1f} s")
