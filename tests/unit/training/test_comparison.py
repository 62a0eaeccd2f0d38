"""Candidate and champion on the same messages: which messages those are, and when there is nothing to compare."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from loguru import logger
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from tests.fields import FIELDS
from tests.naming import assert_names
from tests.settings import default

from batch_nlp.config import ColumnConfig, Config, DatasetConfig, EngineConfig, GateConfig, Role, TrainingConfig
from batch_nlp.errors import DataError, SettingsError
from batch_nlp.storage.feature_store import FeatureStore, features_frame
from batch_nlp.storage.manifest import CHECK_FILE, MODEL_FILE, TRAINED_ON_FILE, write_manifest
from batch_nlp.storage.model_code import CannotRunError
from batch_nlp.storage.model_file import dump_model
from batch_nlp.storage.parquet import write_parquet
from batch_nlp.storage.reference import REFERENCE_FILE
from batch_nlp.storage.registry import Model, Registry
from batch_nlp.storage.samples import id_hashes
from batch_nlp.training.candidate import Candidate
from batch_nlp.training.comparison import AddFeatures, compare_with_champion
from batch_nlp.training.gate import DIFFERS, GateCheck, check_against_champion
from batch_nlp.training.tuned_classifier import TunedClassifier

CLASSES = ["bad", "good"]
OLD, NEW = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
GATE = default(GateConfig, tolerance=0.0, max_recall_drop=0.1)
NONE_READ = GateCheck("held-out messages that v0001 can read", 0, 1, False)
NOTHING_UNSEEN = GateCheck("held-out messages that the champion has not learned from", 0, 1, False)


def features(first: int, last: int) -> pa.Table:
    """Return features of messages by number; a few of them are short, the others long."""
    rows = [
        {
            **dict.fromkeys(FIELDS.numbers, 1.0),
            "message_id": f"m{number:03d}",
            "written_at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number),
            "text_hash": "h",
            "text": f"text {number}",
            "text_length": float(number % 10),
            "category_group": None,
            "embedding": [0.0],
        }
        for number in range(first, last)
    ]
    return pa.Table.from_pylist(rows, schema=FIELDS.schema)


def fitted(messages: pd.DataFrame, least_good: int) -> Pipeline:
    """Return a model that calls a message good from some length on."""
    pipeline = Pipeline(
        [
            ("encode", ColumnTransformer([("length", "passthrough", ["text_length"])]).set_output(transform="pandas")),
            ("model", TunedClassifier(LogisticRegression(C=1e6), "none", "none", None)),
        ]
    )
    return pipeline.fit(messages, (messages["text_length"] >= least_good).astype(int))


@dataclass(frozen=True)
class Scene:
    """100 messages, good from length 5 on, of which 50 are held out; the champion has learned from some of those."""

    config: Config
    store: FeatureStore
    registry: Registry
    candidate: Candidate

    def compare(self, add_features: AddFeatures | None = None) -> list[GateCheck]:
        return compare_with_champion(self.candidate, self.config, self.store, self.registry, add_features)[0]

    def expected(self, first: int, last: int, champion_least_good: int) -> list[GateCheck]:
        """Return what the gate says of some held-out messages, by the numbers in their ids."""
        numbers = np.arange(first, last) % 10
        candidate = self.candidate.predicted[first - 50 : last - 50]
        champion = (numbers >= champion_least_good).astype(np.int64)
        gate, metric = self.config.training.gate, self.config.training.metric
        truth = (numbers >= 5).astype(np.int64)
        return check_against_champion(truth, candidate, champion, CLASSES, metric, gate, self.config.seed)


def scene(
    folder: Path,
    engine: EngineConfig,
    *,
    learned: int = 60,
    known: int = 100,
    gate: GateConfig = GATE,
    judged: range | None = None,
) -> Scene:
    """Make a champion that learned from messages 0 to `learned` and whose features the store holds up to `known`.

    Champion: good from 8 on; candidate: good from 6 on, so it is right more often. A champion that was fitted again was
    judged on some messages by a model of which good begins at 7.
    """
    messages = features_frame(features(0, 100))
    store = FeatureStore(folder / "store", engine)
    store.append_features(NEW, features(0, 100), "run")
    if known:
        store.append_features(OLD, features(0, known), "run")
    version = folder / "models" / "v0001"
    version.mkdir(parents=True)
    model = fitted(messages, 8)
    dump_model(version / MODEL_FILE, model)
    probabilities = pa.array(list(model.predict_proba(messages)), pa.list_(pa.float64()))
    write_parquet(version / CHECK_FILE, features(0, 100).append_column("probabilities", probabilities))
    write_parquet(version / TRAINED_ON_FILE, pa.table({"message": id_hashes(messages["message_id"][:learned])}))
    if judged:
        predicted = pa.array([int(number % 10 >= 7) for number in judged], pa.int16())
        ids = [f"m{number:03d}" for number in judged]
        write_parquet(version / REFERENCE_FILE, pa.table({"message_id": ids, "predicted_class": predicted}))
    facts = {"dataset": "sample", "classes": CLASSES, "fields": FIELDS.to_list(), "refit": bool(judged)}
    facts["data_version"] = {"feature_version": OLD}
    facts["feature_definition"] = {"columns": [["text", {"role": "text"}], ["day", {"role": "time"}]]}
    write_manifest(version, {**facts, "code": {}})
    (folder / "models" / "champion.json").write_text(json.dumps({"version": "v0001", "previous": []}))
    labels = (messages["text_length"] >= 5).astype(int)
    candidate = Candidate(
        "run", fitted(messages, 6), CLASSES, FIELDS, messages, labels, messages.index[:50], messages.index[50:]
    )
    config = default(
        Config,
        seed=7,
        dataset=default(DatasetConfig, name="sample"),
        training=default(TrainingConfig, gate=gate, metric="f1_macro"),
        engine=engine,
    )
    return Scene(config, store, Registry(folder / "models"), candidate)


@pytest.mark.parametrize(("learned", "known"), [(50, 100), (60, 100), (75, 100), (60, 90)])
def test_both_are_measured_on_what_the_champion_has_not_learned_from_and_the_store_holds(
    tmp_path: Path, engine: EngineConfig, learned: int, known: int
) -> None:
    here, lines = scene(tmp_path, engine, learned=learned, known=known), []
    sink = logger.add(lambda message: lines.append(message.record["message"]), level="INFO")
    checks = here.compare()
    logger.remove(sink)
    assert checks == here.expected(learned, known, 8)
    assert [check.passed for check in checks] == [True, True, True]
    assert_names(lines[-1], "v0001", known - learned, 50)


def test_a_champion_that_has_learned_from_all_of_them_is_not_replaced(tmp_path: Path, engine: EngineConfig) -> None:
    """Guarantee 12: a comparison that cannot be made is no success."""
    assert scene(tmp_path, engine, learned=100).compare() == [NOTHING_UNSEEN]


@pytest.mark.parametrize(("learned", "compared"), [(100, range(70, 90)), (90, range(70, 100))])
def test_one_that_was_fitted_again_counts_as_it_was_judged_where_it_has_learned_since(
    tmp_path: Path, engine: EngineConfig, learned: int, compared: range
) -> None:
    here = scene(tmp_path, engine, learned=learned, judged=range(70, 90))
    numbers = np.array(compared)
    champion = (numbers % 10 >= np.where(numbers < 90, 7, 8)).astype(np.int64)
    settings = here.config.training
    truth, candidate = (numbers % 10 >= 5).astype(np.int64), here.candidate.predicted[numbers - 50]
    expected = check_against_champion(truth, candidate, champion, CLASSES, settings.metric, settings.gate, 7)
    assert here.compare() == expected


@pytest.mark.parametrize("known", [0, 60])
def test_nor_is_one_whose_features_of_them_are_not_in_the_store(
    tmp_path: Path, engine: EngineConfig, known: int, warnings: list[str]
) -> None:
    assert scene(tmp_path, engine, known=known).compare() == [NONE_READ]
    assert_names(warnings[0], "v0001", 40)
    # which then asks for nothing
    without = default(GateConfig, tolerance=None, max_recall_drop=None)
    assert_names(warnings[0], "training.gate.tolerance=null", "training.gate.max_recall_drop=null")
    assert scene(tmp_path / "without", engine, known=known, gate=without).compare() == []


@pytest.mark.parametrize("known", [0, 90])
def test_features_that_the_champion_needs_are_added(tmp_path: Path, engine: EngineConfig, known: int) -> None:
    here, asked = scene(tmp_path, engine, known=known), list[str]()

    def add(champion: Model, ids: list[str]) -> None:
        asked.extend([champion.version, *ids])
        here.store.append_features(OLD, features(int(ids[0][1:]), 100), "later")

    assert here.compare(add) == here.expected(60, 100, 8)
    assert asked == ["v0001", *(f"m{number:03d}" for number in range(max(60, known), 100))]
    asked.clear()
    assert here.compare(add) == here.expected(60, 100, 8)
    assert asked == []


@pytest.mark.parametrize(("known", "error"), [(0, DataError), (90, DataError), (0, SettingsError)])
def test_what_cannot_be_added_is_not_compared(
    tmp_path: Path, engine: EngineConfig, known: int, error: type[Exception], warnings: list[str]
) -> None:
    def add(champion: Model, ids: list[str]) -> None:
        raise error("there is no file")

    here = scene(tmp_path, engine, known=known)
    assert here.compare(add) == (here.expected(60, 90, 8) if known else [NONE_READ])
    assert_names(warnings[0], "v0001", "there is no file")


def test_a_champion_whose_features_this_installation_cannot_compute_takes_no_part(
    tmp_path: Path, engine: EngineConfig
) -> None:
    def add(champion: Model, ids: list[str]) -> None:
        raise CannotRunError("v0001: cannot be run")

    here = scene(tmp_path, engine, known=0)
    found = compare_with_champion(here.candidate, here.config, here.store, here.registry, add)
    assert found == ([], "v0001: cannot be run")
    here = scene(tmp_path / "known", engine, known=90)
    assert here.compare(add) == here.expected(60, 90, 8)


@pytest.mark.parametrize(
    ("gate", "asked"),
    [
        (default(GateConfig, tolerance=None, max_recall_drop=None), []),
        (
            default(GateConfig, tolerance=0.0, max_recall_drop=None),
            [DIFFERS, "lower bound of the difference in f1_macro to the champion"],
        ),
        (default(GateConfig, max_recall_drop=0.1, tolerance=None), [DIFFERS, "change in recall of class bad"]),
    ],
)
def test_only_what_the_settings_ask_is_compared(
    tmp_path: Path, engine: EngineConfig, gate: GateConfig, asked: list[str]
) -> None:
    assert [check.name for check in scene(tmp_path, engine, gate=gate).compare()] == asked


@pytest.mark.parametrize(
    "other", [{"body": ColumnConfig(Role.text)}, {"day": ColumnConfig(Role.time, format="iso|%d.%m.%Y")}]
)
def test_a_candidate_that_reads_texts_by_another_name_or_times_of_another_form_may_be_equal(
    tmp_path: Path, engine: EngineConfig, other: dict[str, ColumnConfig]
) -> None:
    here = scene(tmp_path, engine)
    columns = {"text": ColumnConfig(Role.text), "day": ColumnConfig(Role.time)} | other
    messages = replace(here.config.dataset.messages, columns=columns)
    dataset = replace(here.config.dataset, messages=messages)
    lower_bound, recall = replace(here, config=replace(here.config, dataset=dataset)).compare()
    assert_names(lower_bound.name, "f1_macro")
    assert_names(recall.name, "recall", "bad")


def test_a_champion_that_reads_no_new_message_since_their_times_are_of_another_form_is_not_compared(
    tmp_path: Path, engine: EngineConfig, warnings: list[str]
) -> None:
    here = scene(tmp_path, engine, known=0)
    columns = {"day": ColumnConfig(Role.time, format="iso|%d.%m.%Y")}
    dataset = replace(here.config.dataset, messages=replace(here.config.dataset.messages, columns=columns))
    config = replace(here.config, dataset=dataset)
    checks, reason = compare_with_champion(here.candidate, config, here.store, here.registry)
    assert checks == []
    assert_names(reason, "v0001", "day")
    assert len(warnings) == 1
    assert_names(warnings[0], reason)


def test_without_a_champion_there_is_nothing_to_compare(tmp_path: Path, engine: EngineConfig) -> None:
    here = scene(tmp_path, engine)
    here.registry.root.joinpath("champion.json").unlink()
    assert here.compare() == []


def test_a_damaged_champion_does_not_keep_a_candidate_from_its_place_and_is_named(
    tmp_path: Path, engine: EngineConfig, warnings: list[str]
) -> None:
    here = scene(tmp_path, engine)
    (here.registry.root / "v0001" / TRAINED_ON_FILE).write_bytes(b"not what it was")
    assert here.compare() == []
    assert len(warnings) == 1
    assert_names(warnings[0], f"v0001/{TRAINED_ON_FILE}")


def test_a_champion_for_other_messages_is_not_compared(
    tmp_path: Path, engine: EngineConfig, warnings: list[str]
) -> None:
    here = scene(tmp_path, engine)
    here = replace(here, config=replace(here.config, dataset=default(DatasetConfig, name="tickets")))
    assert here.compare() == []
    assert len(warnings) == 1
    assert_names(warnings[0], "v0001", "sample")


@pytest.mark.parametrize("names", [["good", "bad"], ["bad", "fine"]])
def test_classes_are_compared_by_name(tmp_path: Path, engine: EngineConfig, names: list[str]) -> None:
    """The candidate predicts by index alone, so that other names turn right into wrong for the champion only."""
    here = scene(tmp_path, engine)
    here = replace(here, candidate=replace(here.candidate, classes=names))
    numbers = np.arange(60, 100) % 10
    called_good = numbers >= 8
    champion = np.where(called_good, 0, 1) if names[0] == "good" else np.where(called_good, 2, 0)
    assert here.compare() == check_against_champion(
        (numbers >= 5).astype(np.int64),
        here.candidate.predicted[10:],
        champion,
        names,
        "f1_macro",
        GATE,
        here.config.seed,
    )
