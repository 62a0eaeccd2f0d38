from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.fields import FIELDS
from tests.naming import assert_names, refusal
from tests.unit.training.runs import NOW, World, light, train, with_training

from batch_nlp.config import Config, Input, Split, ThresholdsConfig, plain
from batch_nlp.errors import DataError
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.label_table import LABELS_SCHEMA
from batch_nlp.storage.model_file import load_model
from batch_nlp.storage.reference import Reference
from batch_nlp.storage.registry import Registry
from batch_nlp.training.origin import training_fingerprint


def store_of(folder: Path, world: World, messages: pd.DataFrame) -> FeatureStore:
    """Return a store of these messages and their `target`."""
    store = FeatureStore(folder, world.config.engine)
    features = messages[FIELDS.schema.names]
    store.append_features(world.definition.version, pa.Table.from_pandas(features, FIELDS.schema, False), "r")
    given = {"arrived_at": NOW, "source_file": "f", "source": "given", "confidence": None, "source_hash": None}
    labels = messages[["message_id", "target"]].assign(**given)
    store.labels.append(pa.Table.from_pandas(labels, LABELS_SCHEMA, preserve_index=False), "r")
    return store


def test_what_is_held_out_leaves_no_trace_in_the_model(tmp_path: Path, world: World, messages: pd.DataFrame) -> None:
    """Other texts, numbers, vectors and labels of the held-out messages give the same model to the byte."""
    config = with_training(world.config, promote=False)
    hold_out = messages.index[-round(0.2 * len(messages)) :]
    changed = messages.copy()
    changed.loc[hold_out, "text"] = "unheard words " + changed.loc[hold_out, "text"].str[::-1]
    changed.loc[hold_out, "target"] = changed.loc[hold_out, "target"].map(lambda stars: str(6 - int(stars)))
    changed.loc[hold_out, "text_length"] *= 1000
    changed.loc[hold_out, "tenure_days"] = np.nan
    changed.loc[hold_out, "category_group"] = "never seen"
    for row in hold_out:
        changed.at[row, "embedding"] = -changed.at[row, "embedding"]  # noqa: PD008 an array a cell
    result, candidate = train(world, tmp_path, config, store_of(tmp_path / "store", world, changed))
    honest = world.layers.candidates / "run-1"
    assert (candidate / "model.skops").read_bytes() == (honest / "model.skops").read_bytes()
    assert result.metrics != json.loads((honest / "manifest.json").read_text())["metrics"]


def test_the_same_data_and_seed_give_the_same_bytes_in_another_process(tmp_path: Path, world: World) -> None:
    """Guarantee 20."""
    settings = {
        "config": plain(with_training(world.config, promote=False)),
        "definition": world.definition.to_dict(),
        "version": world.definition.version,
        "fields": FIELDS.to_list(),
        "store": str(world.store.folder),
        "folder": str(tmp_path),
    }
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    code = """if True:
        import json, sys
        from datetime import UTC, datetime
        from pathlib import Path
        from batch_nlp.config import Config, parse
        from batch_nlp.fields import Fields
        from batch_nlp.storage.feature_store import FeatureStore
        from batch_nlp.storage.layers import Layers
        from batch_nlp.storage.registry import Registry
        from batch_nlp.training.run import run_training_pipeline
        given = json.loads(Path(sys.argv[1]).read_text())
        config, folder = parse(Config, given["config"]), Path(given["folder"])
        store = FeatureStore(Path(given["store"]), config.engine)
        run_training_pipeline(
            config, Layers(folder, "sample"), store, Registry(folder / "models"), given["definition"],
            given["version"], Fields.from_list(given["fields"]), "again", datetime.now(UTC),
        )
    """
    environment = {"PYTHONHASHSEED": "4711", "OMP_WAIT_POLICY": "PASSIVE"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "settings.json")], check=True, env=environment)
    again, first = tmp_path / "06_models" / "sample" / "again", world.layers.candidates / "run-1"
    for name in ("model.skops", "check.parquet", "reference.parquet", "words.parquet"):
        assert (again / name).read_bytes() == (first / name).read_bytes(), name


def test_another_seed_gives_another_model(tmp_path: Path, world: World) -> None:
    _, candidate = train(world, tmp_path, with_training(replace(world.config, seed=7), promote=False))
    honest = world.layers.candidates / "run-1"
    assert (candidate / "model.skops").read_bytes() != (honest / "model.skops").read_bytes()


def test_a_candidate_of_the_champions_data_and_settings_is_not_promoted(tmp_path: Path, world: World) -> None:
    """Guarantee 12."""
    registry = Registry(shutil.copytree(world.registry.root, tmp_path / "models"))
    result, _ = train(world, tmp_path, world.config, registry=registry)
    assert result.decision is not None
    assert not result.decision.passed
    assert result.decision.same_as_champion
    assert result.version is None
    assert (registry.versions(), registry.champion_version()) == (["v0001"], "v0001")


def test_a_worse_candidate_does_not_replace_the_champion(tmp_path: Path, world: World) -> None:
    """Guarantee 12."""
    registry = Registry(shutil.copytree(world.registry.root, tmp_path / "models"))
    weak = replace(world.config.model, params={"n_estimators": 1, "max_depth": 1})
    config = with_training(replace(world.config, model=weak), inputs=[Input.tabular])
    result, _ = train(world, tmp_path, config, registry=registry)
    assert result.decision is not None
    assert_names(result.decision.failures, "f1_weighted")
    assert registry.champion_version() == "v0001"


def test_what_was_trained_and_measured_is_kept_for_people_and_programs(world: World, messages: pd.DataFrame) -> None:
    manifest = world.registry.champion_manifest()
    assert manifest is not None
    split = pq.read_table(world.layers.model_input / "run-1.parquet").to_pandas()
    assert split["message_id"].tolist() == messages["message_id"].tolist()
    assert split["part"].value_counts().to_dict() == {
        "train": manifest["training_rows"], "holdout": manifest["holdout_rows"],
    }  # fmt: skip
    outputs = pq.read_table(world.layers.model_output / "run-1.parquet").to_pandas()
    assert outputs["message_id"].tolist() == split.loc[split["part"] == "holdout", "message_id"].tolist()
    champion = world.registry.champion()
    assert champion is not None
    predicted = champion.decide(np.stack(outputs["probabilities"]))
    assert (predicted == outputs["label"]).mean() == pytest.approx(manifest["metrics"]["accuracy"])
    shares = np.bincount(predicted, minlength=3) / len(predicted)
    assert list(manifest["reference"]["predicted_shares"].values()) == pytest.approx(shares)
    assert manifest["data_version"]["feature_version"] == world.definition.version
    card = (world.registry.root / "v0001" / "model_card.md").read_text()
    for fact in ("xgboost", "sample (generated)", f"{manifest['metrics']['f1_macro']:.3f}", world.definition.version):
        assert fact in card
    page = (world.layers.diagrams / "training.html").read_text()
    assert all(step in page for step in ("imputer", "encoding", "scaler", "training"))


def test_the_champion_keeps_what_its_hold_out_looked_like_without_any_text(
    world: World, messages: pd.DataFrame, labels: pd.Series[int]
) -> None:
    manifest = world.registry.champion_manifest()
    assert manifest is not None
    folder = world.registry.root / "v0001"
    reference = Reference.read(folder, manifest)
    assert reference is not None
    assert {"reference.parquet", "words.parquet"} <= set(manifest["files"])
    split = pq.read_table(world.layers.model_input / "run-1.parquet").to_pandas().set_index("message_id")
    train, hold_out = (split[split["part"] == part] for part in ("train", "holdout"))
    sample = reference.sample.set_index("message_id")
    assert sample["label"].to_dict() == hold_out["label"].to_dict()
    assert reference.counts.tolist() == sample["predicted_class"].value_counts().sort_index().tolist()
    np.testing.assert_allclose(reference.training_shares, train["label"].value_counts(normalize=True).sort_index())
    chosen = [row[index] for row, index in zip(sample["probabilities"], sample["predicted_class"], strict=True)]
    assert reference.confidence == pytest.approx(np.mean(chosen))
    stored = messages.set_index("message_id").loc[sample.index]
    np.testing.assert_array_equal(np.stack(sample["embedding"]), np.stack(stored["embedding"]))
    np.testing.assert_array_equal(sample["text_length"], stored["text_length"])
    texts = messages.set_index("message_id")["text"]
    assert reference.vocabulary.training["the"] == texts[train.index].str.contains(r"(?i)\bthe\b").sum()
    assert reference.vocabulary.hold_out["the"] == texts[hold_out.index].str.contains(r"(?i)\bthe\b").sum()
    assert 0 <= sample["unknown_words"].mean() < 0.3
    assert "text" not in pq.read_schema(folder / "reference.parquet").names


def test_the_sample_of_the_hold_out_is_as_large_as_the_settings_say(tmp_path: Path, world: World) -> None:
    config = replace(world.config, drift=replace(world.config.drift, sample=100))
    config = with_training(light(config), promote=False)
    _, candidate = train(world, tmp_path, config)
    assert pq.read_metadata(candidate / "reference.parquet").num_rows == 100
    counts = json.loads((candidate / "manifest.json").read_text())["reference"]["predicted_counts"]
    assert sum(counts) == 160


@pytest.mark.parametrize(
    ("targets", "named"),
    [
        ({"1": "5", "2": "5"}, ["negative", 0]),
        ({"1": "5", "2": "5", "3": "5"}, ["negative", "neutral", 0]),
        ({"3": "6"}, ["dataset.label.classes", 6]),
    ],
)
def test_labels_that_cannot_be_trained_on_stop_training_by_name(
    tmp_path: Path, world: World, messages: pd.DataFrame, targets: dict[str, str], named: list[object]
) -> None:
    """Guarantee 15."""
    store = store_of(tmp_path / "store", world, messages.assign(target=messages["target"].replace(targets)))
    with refusal(DataError, *named):
        train(world, tmp_path, world.config, store)
    assert not (tmp_path / "models").exists()


def test_a_class_that_is_only_among_the_newest_messages_is_missed_by_name(
    tmp_path: Path, world: World, messages: pd.DataFrame
) -> None:
    """Guarantee 15."""
    target = messages["target"].replace({"3": "4"})
    target.iloc[-30:] = "3"
    store = store_of(tmp_path / "store", world, messages.assign(target=target))
    with refusal(DataError, "neutral", 0, "training.split=random"):
        train(world, tmp_path, world.config, store)
    result, _ = train(world, tmp_path, with_training(light(world.config), split=Split.random, promote=False), store)
    assert result.metrics["classes"]["neutral"]["messages"] > 0


def test_after_the_gate_the_model_is_fitted_again_on_all_messages(tmp_path: Path, world: World) -> None:
    """Guarantee 14 holds for the model that is published; what was measured is what was judged."""
    result, candidate = train(world, tmp_path, with_training(world.config, refit=True))
    assert result.version == "v0001"
    honest = world.layers.candidates / "run-1"
    manifest, before = (json.loads((folder / "manifest.json").read_text()) for folder in (candidate, honest))
    assert (manifest["refit"], before["refit"]) == (True, False)
    assert manifest["model_rows"] == before["training_rows"] + before["holdout_rows"]
    assert manifest["metrics"] == before["metrics"]
    assert (candidate / "model.skops").read_bytes() != (honest / "model.skops").read_bytes()
    assert pq.read_metadata(candidate / "trained_on.parquet").num_rows == manifest["model_rows"]
    assert_names((candidate / "model_card.md").read_text(), manifest["model_rows"])
    judged, refitted = (load_model(folder / "model.skops").steps[-1][1] for folder in (honest, candidate))
    np.testing.assert_array_equal(judged.decision_weights_, refitted.decision_weights_)
    np.testing.assert_array_equal(judged.calibrator_.coef_, refitted.calibrator_.coef_)


def test_a_candidate_that_fails_its_gate_is_not_fitted_again(tmp_path: Path, world: World) -> None:
    config = with_training(
        light(world.config), refit=True, thresholds=ThresholdsConfig(f1_macro=1.0, f1_weighted=None, recall=None)
    )
    result, candidate = train(world, tmp_path, config)
    assert result.version is None
    assert json.loads((candidate / "manifest.json").read_text())["refit"] is False


def test_rare_labels_are_left_out_and_listed_where_the_settings_say_so(
    tmp_path: Path, world: World, messages: pd.DataFrame
) -> None:
    target = messages["target"].copy()
    target.iloc[:4] = "6"
    store = store_of(tmp_path / "store", world, messages.assign(target=target))
    label = replace(world.config.dataset.label, rare={"under": 5, "as": "quarantine"})
    config = replace(world.config, dataset=replace(world.config.dataset, label=label))
    _, candidate = train(world, tmp_path, with_training(light(config), promote=False), store)
    listed = pq.read_table(tmp_path / "data" / "05_model_input" / "sample" / "run-1-quarantine.parquet").to_pylist()
    assert {(row["message_id"], row["target"]) for row in listed} == {
        (message_id, "6") for message_id in messages["message_id"].iloc[:4]
    }
    manifest = json.loads((candidate / "manifest.json").read_text())
    assert manifest["training_rows"] + manifest["holdout_rows"] == len(messages) - 4
    assert manifest["label_map"]["targets"]["5"] == "positive"


def test_two_classes_are_enough(tmp_path: Path, world: World) -> None:
    label = replace(world.config.dataset.label, classes={"bad": [1, 2, 3], "good": [4, 5]})
    dataset = replace(world.config.dataset, label=label)
    config = with_training(replace(world.config, dataset=dataset), promote=False, split=Split.random)
    result, candidate = train(world, tmp_path, config)
    assert list(result.metrics["classes"]) == ["bad", "good"]
    assert result.metrics["f1_macro"] > 0.6
    assert (candidate / "model.skops").exists()


def test_a_model_of_an_earlier_window_is_measured_and_never_published(tmp_path: Path, world: World) -> None:
    config = with_training(world.config, window=1, promote=True)
    result, candidate = train(world, tmp_path, config)
    assert (result.decision, result.version) == (None, None)
    assert not (tmp_path / "models").exists()
    found, newest = (json.loads((folder / "manifest.json").read_text())
                     for folder in (candidate, world.layers.candidates / "run-1"))  # fmt: skip
    assert found["gate"] is None
    assert found["holdout_rows"] == newest["holdout_rows"]
    assert found["training_rows"] == newest["training_rows"] - newest["holdout_rows"]
    assert found["holdout_from"] < newest["holdout_from"]
    assert found["metrics"]["f1_weighted"] > 0.5


def test_the_calibration_error_of_the_hold_out_is_told_after_and_before(world: World) -> None:
    manifest = world.registry.champion_manifest()
    assert manifest is not None
    assert 0 < manifest["metrics"]["ece"] < manifest["metrics"]["ece_uncalibrated"] < 1


def test_the_log_loss_is_that_of_the_probabilities_on_the_hold_out(world: World) -> None:
    manifest = world.registry.champion_manifest()
    assert manifest is not None
    outputs = pq.read_table(world.layers.model_output / "run-1.parquet").to_pandas()
    of_truth = np.stack(outputs["probabilities"].to_list())[np.arange(len(outputs)), outputs["label"]]
    assert manifest["metrics"]["log_loss"] == pytest.approx(-np.log(of_truth).mean())


def test_the_fingerprint_of_a_training_follows_data_and_settings_alone(world: World) -> None:
    def fingerprint(config: Config) -> str:
        return training_fingerprint(config, world.store, world.definition.version)

    same = fingerprint(world.config)
    assert fingerprint(with_training(world.config, promote=False, force=True, keep_versions=9)) == same
    assert fingerprint(replace(world.config, log_level="DEBUG")) == same
    assert fingerprint(with_training(world.config, holdout=0.3)) != same
    assert fingerprint(replace(world.config, seed=1)) != same
    assert fingerprint(replace(world.config, model=replace(world.config.model, params={}))) != same
