"""The command line starts quickly: nothing is imported that a call does not need, and settings are composed once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import hydra
import pytest
from tests.naming import assert_names
from tests.projects import Project

from batch_nlp.cli import PROJECT_ROOT
from batch_nlp.errors import ExitCode

# Only what trains, embeds or draws needs these
FOR_WORK = {
    *("feature_engine", "imblearn", "matplotlib", "onnxruntime", "scipy", "skops", "sklearn"),
    *("torch", "xgboost"),
}
# ... and these, whatever works on messages
LIBRARIES = FOR_WORK | {"deltalake", "duckdb", "numpy", "pandas", "pyarrow"}


def imported(result: subprocess.CompletedProcess[str]) -> set[str]:
    """Return the packages that a process has imported, as PYTHONPROFILEIMPORTTIME writes them to its error stream."""
    lines = (line for line in result.stderr.splitlines() if line.startswith("import time:"))
    found = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    assert "argparse" in found
    return found


@pytest.fixture
def imports_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")


@pytest.mark.usefixtures("imports_told")
@pytest.mark.parametrize("arguments", [["--cfg", "job"], ["drift.low=much"]])
def test_settings_and_wrong_settings_wait_for_no_library(arguments: list[str], tmp_path: Path) -> None:
    assert not imported(Project(tmp_path).run(*arguments)) & LIBRARIES


@pytest.mark.usefixtures("imports_told")
def test_status_of_an_empty_project_imports_nothing_that_trains(tmp_path: Path) -> None:
    result = Project(tmp_path).run("pipeline=status")
    assert_names(result.stdout, "pipeline=fti")
    assert not imported(result) & FOR_WORK


@pytest.mark.usefixtures("imports_told")
@pytest.mark.parametrize("pipeline", ["feature", "inference"])
def test_a_run_that_finds_nothing_new_imports_nothing_that_trains(pipeline: str, project: Project) -> None:
    result = project.run(f"pipeline={pipeline}")
    assert result.returncode == ExitCode.DONE
    assert not imported(result) & FOR_WORK


@pytest.mark.parametrize("wrong", ["model.params.max_deph=4", "model.params.max_depth=deep", "training.balance=smoke"])
def test_settings_that_are_not_the_champions_are_checked_even_if_nothing_is_new(wrong: str, project: Project) -> None:
    result = project.here("pipeline=inference", wrong)
    assert result.returncode == ExitCode.SETTINGS
    assert wrong.partition("=")[0] in result.stderr


def test_the_settings_of_a_run_are_composed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Composing takes most of the time in which a command starts."""
    compose, composed = hydra.compose, []

    def counted(*arguments: Any, **named: Any) -> Any:
        composed.append(arguments)
        return compose(*arguments, **named)

    monkeypatch.setattr(hydra, "compose", counted)
    project = Project(tmp_path)
    assert project.here("pipeline=status").returncode == ExitCode.DONE
    assert len(composed) == 1
    refused = project.here("pipeline=status", "seed=1,2")
    assert refused.returncode == ExitCode.SETTINGS
    assert "seed=1,2" in refused.stderr
    (tmp_path / "own" / "experiment").mkdir(parents=True)
    (tmp_path / "own" / "experiment" / "both.yaml").write_text(
        "# @package _global_\nhydra: {mode: MULTIRUN, sweeper: {params: {seed: '1,2'}}}\n"
    )
    both = project.here("--config-dir", "own", "+experiment=both", "pipeline=rollback")
    assert [job in both.stderr for job in ("Job 0", "Job 1", "Job 2")] == [True, True, False]


def test_help_does_without_hydra(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", str(PROJECT_ROOT / "start_batch_nlp.py"), "--help"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert not {"hydra", "omegaconf", "pydantic"} & imported(result)
