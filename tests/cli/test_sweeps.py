"""Sweeps through the real command line: every job runs, the report ranks them, and a sweep can be resumed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.naming import assert_ended
from tests.projects import Project

from batch_nlp.cli import PROJECT_ROOT
from batch_nlp.errors import ExitCode

HOSTILE = "<img src=x onerror=alert(1)>|"
COMMAND = (
    "-m",
    "sweep=trees",
    "pipeline=training",
    "model=random_forest",
    "features=none",
    "training.inputs=[tabular]",
    "training.decision.calibration=none",
    "training.decision.metric=null",
    "sample.messages=800",
    f"model.params.criterion=gini,entropy,'{HOSTILE}'",
)


def folders(project: Project) -> dict[str, Path]:
    """Return the folder of each job of the sweep, by the criterion that it was given."""
    found = {}
    for path in (project.data / "08_reporting" / "sweeps" / "trees").glob("*/result.json"):
        overrides = json.loads(path.read_text())["overrides"]
        found[next(text for text in overrides if "criterion" in text).partition("=")[2].strip("'")] = path.parent
    return found


def report(project: Project, ending: str) -> str:
    return (project.data / "08_reporting" / "experiments" / f"trees.{ending}").read_text()


def trained(project: Project) -> int:
    return len(list((project.data / "08_reporting" / "training").glob("*.json")))


@pytest.fixture(scope="module")
def swept(
    tmp_path_factory: pytest.TempPathFactory, new_project: Callable[[Path], Project]
) -> tuple[Project, subprocess.CompletedProcess[str]]:
    """Return an empty project after a sweep of three jobs, the last of which fails, and what was printed."""
    project = new_project(tmp_path_factory.mktemp("swept"))
    return project, project.here(*COMMAND)


def test_a_failing_job_hides_no_other_and_ends_the_sweep_with_an_error(
    swept: tuple[Project, subprocess.CompletedProcess[str]],
) -> None:
    project, result = swept
    assert result.returncode == ExitCode.SETTINGS, result.stderr
    results: dict[str, Any] = {
        name: json.loads((path / "result.json").read_text()) for name, path in folders(project).items()
    }
    assert {name: found["status"] for name, found in results.items()} == {
        "gini": "ok",
        "entropy": "ok",
        HOSTILE: "failed",
    }
    assert "criterion" in results[HOSTILE]["error"]
    for name in ("gini", "entropy"):
        assert results[name]["value"] == results[name]["metrics"]["f1_weighted"]
        assert {"f1_macro", "recall_negative", "recall_neutral", "recall_positive"} <= results[name]["metrics"].keys()
        assert results[name]["seconds"] > 0


def test_the_reports_rank_successes_and_explain_failures(
    swept: tuple[Project, subprocess.CompletedProcess[str]],
) -> None:
    project, result = swept
    found = json.loads(report(project, "json"))
    assert found["metric"] == "f1_weighted"
    assert found["parameters"] == ["model.params.criterion"]
    values = [experiment["value"] for experiment in found["experiments"]]
    assert values == sorted(values, reverse=True)
    assert len(values) == 2
    assert [failed["exit_code"] for failed in found["failed"]] == [ExitCode.SETTINGS]
    best = found["experiments"][0]["settings"]["model.params.criterion"]
    for text in (result.stderr, report(project, "md")):
        table = text[text.index("rank") :]
        assert table.index(best) < table.index("gini" if best == "entropy" else "entropy") < table.index("img src")
        assert f"{values[0]:.4f}" in table
        assert "RandomForestClassifier" in table


def test_a_page_shows_charts_and_escapes_its_input(
    swept: tuple[Project, subprocess.CompletedProcess[str]],
) -> None:
    page = report(swept[0], "html")
    assert page.count("<svg") == 1
    assert "<script" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<img src=x" not in page
    assert "<img" not in report(swept[0], "md")


def test_the_same_command_resumes_a_sweep(swept: tuple[Project, subprocess.CompletedProcess[str]]) -> None:
    project = swept[0]
    before = trained(project)
    assert before == 2
    # as if the job had been killed
    (folders(project)["entropy"] / "result.json").unlink()
    result = project.here(*COMMAND, "log_level=DEBUG")
    assert result.returncode == ExitCode.SETTINGS
    # the one that is missing and the one that failed had another try, the others none
    assert trained(project) == before + 1
    assert result.stderr.count("ERROR   | model.params.criterion=") == 1
    assert [len(json.loads(report(project, "json"))[kind]) for kind in ("experiments", "failed")] == [2, 1]
    assert not (project.models / "champion.json").exists()


@pytest.mark.parametrize("asked", ["+search=xgboost", "hydra/launcher=parallel", "hydra/launcher=joblib"])
def test_a_missing_extra_is_named_with_its_install_command(asked: str, tmp_path: Path) -> None:
    # an installation without the extra: its plugins cannot be found where a package stands before them
    (tmp_path / "hydra_plugins").mkdir()
    (tmp_path / "hydra_plugins" / "__init__.py").touch()
    command = [sys.executable, str(PROJECT_ROOT / "start_batch_nlp.py"), *Project(tmp_path).arguments("-m", asked)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)
    assert_ended(result, ExitCode.SETTINGS, "uv sync --extra sweeps")
    assert "Traceback" not in result.stderr


def test_a_sweep_name_that_is_not_a_folder_name_is_refused(
    new_project: Callable[[Path], Project], tmp_path: Path
) -> None:
    result = new_project(tmp_path / "project").here("-m", "sweep=../elsewhere", "seed=1,2")
    assert result.returncode == ExitCode.SETTINGS
    assert "sweep=../elsewhere" in result.stderr
