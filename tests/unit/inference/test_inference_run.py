from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.fields import FIELDS
from tests.naming import assert_names, names, refusal

from batch_nlp.config import Config, EngineConfig, OutputConfig, OutputFormat
from batch_nlp.errors import DataError
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.feature.pipeline import FeatureContext, build_feature_pipeline, load_side_tables, read_columns
from batch_nlp.inference.batch_records import Batch, BatchRecords, BatchState
from batch_nlp.inference.rescoring import predict_reweighted, rescore
from batch_nlp.inference.run import run_inference_pipeline
from batch_nlp.steps.base import MeteredPipeline
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.known import KnownMessages
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import Ledger
from batch_nlp.storage.registry import Model, Registry
from batch_nlp.storage.samples import id_hashes, read_sample, sample_file

NOW = datetime(2026, 2, 1, tzinfo=UTC)
CLASSES = ["negative", "neutral", "positive"]


class World(Protocol):
    config: Config
    layers: Layers
    registry: Registry
    definition: FeatureDefinition


@dataclass
class Desk:
    """A data folder with an inbox, and the inference pipeline to run in it."""

    world: World
    config: Config
    model: Model
    embedding_cache: Path
    minutes: int = 0

    @property
    def layers(self) -> Layers:
        return Layers(Path(self.config.paths.data), "sample")

    @property
    def store(self) -> FeatureStore:
        return FeatureStore(self.layers.feature_store, self.config.engine)

    @property
    def records(self) -> BatchRecords:
        return BatchRecords(self.layers.batches)

    def drop(self, name: str, *rows: dict[str, Any]) -> None:
        inbox = Path(self.config.inference.inbox)
        inbox.mkdir(parents=True, exist_ok=True)
        (inbox / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    def claim(self) -> Batch:
        self.minutes += 1
        now = NOW + timedelta(minutes=self.minutes)
        batch = self.records.claim(
            self.records.new_files(Path(self.config.inference.inbox), self.config.dataset).files, "sample", now
        )
        assert batch is not None
        return batch

    def score(self, batch: Batch) -> pd.DataFrame:
        config, definition = self.config, self.world.definition

        def steps(connection: duckdb.DuckDBPyConnection, known: KnownMessages, ledger: Ledger) -> MeteredPipeline:
            tables = load_side_tables(config, definition, self.layers, connection)
            kept = config.inference.output.keep
            run = FeatureContext(tables, known, ledger, self.embedding_cache, config.engine.threads, kept_columns=kept)
            return build_feature_pipeline(config, definition, run)

        columns = read_columns(config, definition)
        run_inference_pipeline(config, self.layers, self.store, self.model, columns, steps, batch)
        return self.read(batch)

    def read(self, batch: Batch) -> pd.DataFrame:
        return pq.read_table(self.layers.predictions / batch.name / "predictions.parquet").to_pandas()


@pytest.fixture(scope="module")
def champion(world: World) -> Model:
    model = world.registry.champion()
    assert model is not None
    return model


@pytest.fixture
def desk(
    tmp_path: Path,
    world: World,
    champion: Model,
    make_config: Callable[..., Config],
    embedding_cache: Path,
    engine: EngineConfig,
) -> Desk:
    return Desk(world, replace(make_config(tmp_path), engine=engine), champion, embedding_cache)


def message(name: str, text: str = "Great food and a lovely place", **more: Any) -> dict[str, Any]:
    return {"review_id": name, "text": text, "date": "2024-03-04 05:06:07", "user_id": "u", "business_id": "b", **more}


def test_every_message_is_accounted_for_and_predicted_once(desk: Desk) -> None:
    """Guarantee 5."""
    faults = [message("c", text=None), message(None), message("d", date="soon")]
    desk.drop("review.json", message("a"), message("b", "Awful, rude, never again"), message("a"), *faults)
    batch = desk.claim()
    out = desk.score(batch)
    assert out["message_id"].tolist() == ["a", "b"]
    assert batch.accounts == {"in": 6, "predicted": 2, "duplicates": 1, "quarantined": 3}
    assert batch.counts == out["predicted_class"].value_counts().reindex(range(3), fill_value=0).tolist()
    assert (batch.state, batch.model_version) == (BatchState.SCORED, "v0001")
    assert set(out["predicted_at"]) == {pd.Timestamp(batch.predicted_at)}
    quarantine = pq.read_table(desk.layers.root / "09_inference" / "quarantine" / f"{batch.name}.parquet")
    assert quarantine.num_rows == 3


def test_kept_columns_stand_beside_their_messages(desk: Desk) -> None:
    output = OutputConfig(OutputFormat.csv, ["text", "review_id", "tags", "stars", "user_name"])
    plain = desk.config
    desk.config = replace(plain, inference=replace(plain.inference, output=output))
    broken = [message("x", text=None), message("a", tags="again")]
    desk.drop("1_review.json", message("a", tags=["x", 1], stars=3), *broken, message("b", ' Bad,\n"bad" '))
    desk.drop("2_review.json", message("c", user_name="Ann"))
    batch = desk.claim()
    out = desk.score(batch)
    file = desk.layers.predictions / batch.name / "predictions.csv"
    kept = pq.read_table(file.with_suffix(".parquet"), columns=["message_id", *output.keep]).to_pylist()
    good = "Great food and a lovely place"
    assert [list(row.values()) for row in kept] == [
        ["a", good, "a", '["x", 1]', "3", None],
        ["b", ' Bad,\n"bad" ', "b", None, None, None],
        ["c", good, "c", None, None, "Ann"],
    ]
    copy = pd.read_csv(file, dtype={"stars": str})
    assert copy.columns.tolist() == out.columns.tolist()
    assert (
        copy[["message_id", "predicted_label", "text", "stars"]]
        .fillna("")
        .equals(out[["message_id", "predicted_label", "text", "stars"]].fillna(""))
    )
    assert (copy["probability_negative"] == out["probability_negative"]).all()
    # what other batches keep does not matter
    desk.config = plain
    desk.drop("3_review.json", message("d"), message("a"))
    last = desk.claim()
    assert desk.score(last)["message_id"].tolist() == ["d"]
    assert not (desk.layers.predictions / last.name / "predictions.csv").exists()
    # and second predictions keep what the first ones do
    predict_reweighted(desk.layers, desk.model, batch, batch.predicted_at, 2, np.ones(3))
    rescore(desk.layers, desk.store, desk.model, batch, batch.predicted_at, 2)
    for name in ("reweighted", f"rescored-{desk.model.version}"):
        second = file.with_name(f"{name}.parquet")
        assert pq.read_table(second).to_pandas()[output.keep].equals(out[output.keep])
        assert len(pd.read_csv(second.with_suffix(".csv"))) == 3


def test_a_batch_scored_again_after_a_kill_gives_the_same_bytes(desk: Desk) -> None:
    """Guarantee 6."""
    desk.drop("review.json", message("a"), message("b", "bad"), message("c", "ok"))
    batch = desk.claim()
    desk.score(batch)
    file = desk.layers.predictions / batch.name / "predictions.parquet"
    first = file.read_bytes()
    desk.score(replace(batch, state=BatchState.CLAIMED))
    assert file.read_bytes() == first
    assert desk.store.count(desk.world.definition.version) == 3


@pytest.mark.parametrize("batch_rows", [7, 5000])
def test_a_sample_of_the_batch_is_kept_with_features_and_predictions(desk: Desk, batch_rows: int) -> None:
    engine, drift = replace(desk.config.engine, batch_rows=batch_rows), replace(desk.config.drift, sample=100)
    desk.config = replace(desk.config, engine=engine, drift=drift)
    desk.drop("review.json", *(message(f"m{number}", f"message number {number}") for number in range(109)))
    batch = desk.claim()
    out = desk.score(batch).set_index("message_id")
    found = read_sample(sample_file(desk.layers, batch.name)).set_index("message_id")
    assert found.index.tolist() == [out.index[place] for place in np.argsort(id_hashes(out.index))[:100]]
    assert found["predicted_class"].tolist() == out.loc[found.index, "predicted_class"].tolist()
    for name, row in found.iterrows():
        assert row["text"] == f"message number {str(name)[1:]}"
        assert row["probabilities"].tolist() == out.loc[name, [f"probability_{label}" for label in CLASSES]].tolist()
        assert row["embedding"].dtype == np.float32
    again = desk.model.decide(desk.model.pipeline.predict_proba(found[FIELDS.names]))
    assert again.tolist() == found["predicted_class"].tolist()


def test_a_message_that_an_earlier_batch_predicted_is_a_duplicate_and_another_text_a_conflict(desk: Desk) -> None:
    desk.drop("review_1.json", message("a"), message("b"))
    desk.score(desk.claim())
    desk.drop("review_2.json", message("b"), message("a", "another text"), message("c"))
    batch = desk.claim()
    assert desk.score(batch)["message_id"].tolist() == ["c"]
    assert batch.accounts == {"in": 3, "predicted": 1, "duplicates": 1, "quarantined": 1}


@pytest.mark.parametrize("text", [None, "another text"])
def test_a_message_whose_features_are_stored_for_training_is_predicted_all_the_same(
    desk: Desk, text: str | None
) -> None:
    shutil.copytree(desk.world.layers.feature_store, desk.layers.feature_store)
    stored = desk.store.labelled(desk.store.data_version(desk.world.definition.version)).iloc[0]
    desk.drop("review.json", message(stored["message_id"], text or stored["text"]), message("new"))
    before = desk.store.count(desk.world.definition.version)
    assert desk.score(desk.claim())["message_id"].tolist() == [stored["message_id"], "new"]
    assert desk.store.count(desk.world.definition.version) == before + 1


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_a_file_without_messages_is_a_normal_day(desk: Desk, content: str, warnings: list[str]) -> None:
    """Guarantee 7. It is told, for nobody can know whether the file should have been empty."""
    desk.drop("review.json")
    (Path(desk.config.inference.inbox) / "review.json").write_text(content)
    batch = desk.claim()
    assert desk.score(batch).empty
    assert read_sample(sample_file(desk.layers, batch.name)).empty
    assert batch.accounts == {"in": 0, "predicted": 0, "duplicates": 0, "quarantined": 0}
    assert batch.counts == [0, 0, 0]
    assert any(names(warning, "review.json") for warning in warnings)


def test_a_file_of_nothing_but_broken_lines_is_set_aside_and_stays_new(desk: Desk) -> None:
    """Guarantee 24."""
    desk.drop("review.json")
    inbox = Path(desk.config.inference.inbox)
    (inbox / "review.json").write_bytes(b'{"review_id": "cu\n\xff\xfe\n[]\n')
    found = desk.records.new_files(inbox, desk.config.dataset)
    assert (found.files, [file.name for file in found.set_aside]) == ({}, ["review.json"])
    assert_names(found.set_aside[0].problem, "review.json", 3, "line 1", "JSON")


def test_mostly_broken_input_is_refused_and_hands_over_nothing(desk: Desk) -> None:
    desk.config = replace(desk.config, quarantine=replace(desk.config.quarantine, min_messages=2))
    desk.drop("review.json", message("a"), message("b", text=None))
    batch = desk.claim()
    with refusal(DataError, 1, 2, "50%"):
        desk.score(batch)
    assert not (desk.layers.predictions / batch.name).exists()
    assert batch.state is BatchState.CLAIMED


def test_labels_in_the_inbox_are_not_read(desk: Desk) -> None:
    desk.drop("review_a.json", message("a"))
    plain = desk.score(desk.claim())
    shutil.rmtree(desk.layers.root / "09_inference")
    desk.drop("review_b.json", message("a", stars="no valid label", useful=7))
    labelled = desk.score(desk.claim())
    pd.testing.assert_frame_equal(plain.drop(columns="predicted_at"), labelled.drop(columns="predicted_at"))
