"""Trainings in MLflow: runs, files, versions and aliases. Needs the extra `mlflow`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.fields import FIELDS
from tests.naming import assert_names
from tests.projects import Project

from batch_nlp.config import Config
from batch_nlp.errors import GateError
from batch_nlp.runner import run_stages
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.registry import Registry
from batch_nlp.tracking.mlflow_client import quietly

mlflow: Any = pytest.importorskip("mlflow", reason="the extra is not installed: uv sync --extra mlflow")

MODEL = "batch-nlp-sample"
# a quick model that the gate lets pass whatever it is worth
OPEN = (
    "model.params.n_estimators=10",
    "training.min_class_messages=5",
    "training.thresholds={f1_macro: 0.0, f1_weighted: null, recall: null}",
    "training.gate.tolerance=1.0",
    "training.gate.max_recall_drop=1.0",
)


CONNECT = """
import sys
from pathlib import Path
from batch_nlp.tracking.mlflow_client import connect, quietly
from batch_nlp.tracking.address import Address
file = Path(sys.argv[1])
with quietly():
    print(connect(Address(f"sqlite:///{file}", file, file.parent / "artifacts"), "batch-nlp")[1])
"""


def connect_twice_at_once(database: Path) -> list[tuple[int | None, str, str]]:
    """Return exit code, output and errors of two processes that need the same database, which is not there yet."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CONNECT, str(database)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    outputs = [process.communicate() for process in processes]
    return [(process.returncode, *output) for process, output in zip(processes, outputs, strict=True)]


@dataclass
class Tracked:
    """A project whose trainings are tracked, and what MLflow said after each step."""

    folder: Path
    make: Callable[..., Config]
    raw: Path
    made: list[tuple[int | None, str, str]] = field(default_factory=list)
    first: subprocess.CompletedProcess[str] | None = None
    aliases: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        return self.folder / "data" / "08_reporting" / "mlflow" / "mlflow.db"

    def settings(self, *overrides: str) -> list[str]:
        return [f"dataset.raw_dir={self.raw}", "tracking=mlflow", *OPEN, *overrides]

    def run(self, *overrides: str) -> float | None:
        config = self.make(self.folder, *self.settings("training.promote=true", *overrides))
        return run_stages(config, datetime.now(UTC))

    def command_line(self, *overrides: str) -> subprocess.CompletedProcess[str]:
        return Project(self.folder).run(*self.settings(*overrides))

    def client(self) -> Any:
        with quietly():
            uri = f"sqlite:///{self.database}"
            mlflow.set_tracking_uri(uri)
            mlflow.set_registry_uri(uri)
            return mlflow.MlflowClient(uri, uri)

    def look(self, step: str) -> None:
        """Keep which of our versions, or which failed candidate, has each alias."""
        client = self.client()
        found = client.get_registered_model(MODEL).aliases
        tags = {alias: client.get_model_version(MODEL, version).tags for alias, version in found.items()}
        self.aliases[step] = {alias: tag.get("batch_nlp.version", "failed") for alias, tag in tags.items()}

    def runs(self) -> list[Any]:
        client = self.client()
        experiment = client.get_experiment_by_name("batch-nlp")
        return list(client.search_runs([experiment.experiment_id]))


@pytest.fixture(scope="module")
def tracked(
    tmp_path_factory: pytest.TempPathFactory, world: Any, make_config: Callable[..., Config], sample_raw: Path
) -> Iterator[Tracked]:
    """Return a project after: a champion from before tracking, a first and a second training, one that fails."""
    project = Tracked(tmp_path_factory.mktemp("tracked") / "a project", make_config, sample_raw)
    shutil.copytree(Path(world.config.paths.data).parent, project.folder, symlinks=True)
    project.made = connect_twice_at_once(project.database)
    project.first = project.command_line("pipeline=training")
    assert project.first.returncode == 0, project.first.stderr
    project.look("first")
    project.run("pipeline=training", "model.params.max_depth=2")
    project.look("second")
    with pytest.raises(GateError):
        project.run("pipeline=training", "model.params.max_depth=3", "training.thresholds.f1_macro=0.999")
    project.look("failed")
    yield project
    mlflow.set_tracking_uri(None)
    mlflow.set_registry_uri(None)


def files(client: Any, run: str, folder: str | None = None) -> set[str]:
    return {Path(found.path).name for found in client.list_artifacts(run, folder)}


def test_two_processes_that_make_the_database_at_the_same_time_both_get_it(tracked: Tracked) -> None:
    """MLflow's own migrations fail where two processes run them on one file."""
    assert [code for code, _, _ in tracked.made] == [0, 0], tracked.made
    assert len({output for _, output, _ in tracked.made}) == 1
    assert [errors for _, _, errors in tracked.made] == ["", ""]


def test_a_training_is_a_run_with_parameters_metrics_tags_and_files(tracked: Tracked) -> None:
    assert tracked.first is not None
    run = tracked.runs()[-1]
    assert run.info.status == "FINISHED"
    assert run.data.params["model.params.n_estimators"] == "10"
    assert run.data.params["dataset.split"] == "time"
    assert run.data.params["dataset.name"] == "sample"
    assert {"f1_macro", "f1_weighted", "classes.negative.recall", "seconds"} <= set(run.data.metrics)
    tags = run.data.tags
    assert tags["batch_nlp.gate"] == "passed"
    assert tags["batch_nlp.version"] == "v0002"
    assert tags["batch_nlp.run"] in run.info.run_name
    assert not {name for name in tags if name.startswith(("mlflow.source", "mlflow.user"))}
    client = tracked.client()
    assert {"manifest.json", "model_card.md", "gate.json", "run.log", f"{tags['batch_nlp.run']}.json"} <= files(
        client, run.info.run_id
    )
    published = {file.name for file in (tracked.folder / "models" / "v0002").iterdir()}
    assert published == files(client, run.info.run_id, "model/data")


def test_the_terminal_shows_one_line_of_it(tracked: Tracked) -> None:
    assert tracked.first is not None
    lines = [line for line in tracked.first.stderr.splitlines() if "mlflow" in line.lower() or "alembic" in line]
    assert len(lines) == 1, lines
    assert str(tracked.database) in lines[0]
    assert tracked.first.stdout == ""
    assert not (tracked.folder / "mlruns").exists()


def test_the_alias_champion_follows_publication_and_challenger_the_failed_candidate(tracked: Tracked) -> None:
    assert tracked.aliases == {
        "first": {"champion": "v0002"},
        "second": {"champion": "v0003"},
        "failed": {"champion": "v0003", "challenger": "failed"},
    }
    failed = tracked.runs()[0]
    assert failed.data.tags["batch_nlp.gate"] == "failed"
    assert "training.thresholds.f1_macro" in failed.data.tags["batch_nlp.gate_reason"]


def test_mlflow_loads_the_champion_and_predicts_as_the_registry_does(tracked: Tracked, world: Any) -> None:
    store: FeatureStore = world.store
    rows = store.labelled(store.data_version(world.definition.version)).iloc[:40]
    tracked.client()
    with quietly():
        served = mlflow.pyfunc.load_model(f"models:/{MODEL}@champion").predict(rows)
    champion = Registry(tracked.folder / "models").champion()
    assert champion is not None
    expected = champion.pipeline.predict_proba(rows[FIELDS.names])
    classes = champion.manifest["classes"]
    assert np.array_equal(served[[f"probability_{name}" for name in classes]], expected)
    predicted = champion.pipeline.predict(rows[FIELDS.names])
    assert list(served["predicted_label"]) == [classes[index] for index in predicted]
    pd.testing.assert_index_equal(served.index, rows.index)


def test_no_version_holds_a_pickle(tracked: Tracked) -> None:
    endings = {file.suffix for file in (tracked.database.parent / "artifacts").rglob("*") if file.is_file()}
    assert not endings & {".pkl", ".pickle", ".joblib"}
    assert ".skops" in endings


def test_a_multirun_is_a_run_with_its_jobs_below_it(tracked: Tracked) -> None:
    result = tracked.command_line("-m", "pipeline=training", "model.params.max_depth=1,4")
    assert result.returncode == 0, result.stderr
    runs = tracked.runs()
    parents = [run for run in runs if run.info.run_name.startswith("multirun")]
    assert [parent.info.status for parent in parents] == ["FINISHED"]
    jobs = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parents[0].info.run_id]
    assert {run.data.params["model.params.max_depth"] for run in jobs} == {"1", "4"}
    assert {run.data.tags["batch_nlp.gate"] for run in jobs} == {"not asked"}
    assert all("max_depth" in run.data.tags["batch_nlp.overrides"] for run in jobs)
    assert not any("paths.data" in run.data.tags["batch_nlp.overrides"] for run in jobs)
    # a sweep compares: it registers nothing
    assert len(tracked.client().search_model_versions(f"name = '{MODEL}'")) == 3


def test_rollback_moves_the_alias_and_says_when_mlflow_does_not_know_the_version(
    tracked: Tracked, warnings: list[str]
) -> None:
    tracked.run("pipeline=rollback")
    tracked.look("back")
    assert tracked.aliases["back"]["champion"] == "v0002"
    assert warnings == []
    tracked.run("pipeline=rollback")  # to the version from before tracking
    assert Registry(tracked.folder / "models").champion_version() == "v0001"
    tracked.look("further back")
    assert "champion" not in tracked.aliases["further back"]
    assert "v0001" in warnings[0]


@pytest.fixture
def untracked(tmp_path: Path, world: Any, make_config: Callable[..., Config], sample_raw: Path) -> Tracked:
    project = Tracked(tmp_path / "project", make_config, sample_raw)
    shutil.copytree(Path(world.config.paths.data).parent, project.folder, symlinks=True)
    return project


def test_a_server_that_is_down_costs_a_warning_and_no_training(untracked: Tracked, warnings: list[str]) -> None:
    metric = untracked.run("pipeline=training", "tracking.uri=http://127.0.0.1:9")
    assert metric is not None
    assert Registry(untracked.folder / "models").champion_version() == "v0002"
    [warning] = [line for line in warnings if "MLflow" in line]
    assert "http://127.0.0.1:9" in warning
    assert_names(warning, "v0002", "champion")


def test_a_damaged_database_costs_a_warning_and_no_training(untracked: Tracked, warnings: list[str]) -> None:
    untracked.database.parent.mkdir(parents=True)
    untracked.database.write_bytes(b"not a database" * 100)
    with pytest.raises(GateError):
        untracked.run("pipeline=training", "training.thresholds.f1_macro=0.999")
    [warning] = [line for line in warnings if "MLflow" in line]
    assert str(untracked.database) in warning
    assert "challenger" in warning
