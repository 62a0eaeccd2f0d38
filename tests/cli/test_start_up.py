"""The command line starts quickly: nothing is imported that a call does not need, and Hydra copies nothing in vain."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from tests.naming import assert_names
from tests.projects import Project

from batch_nlp.cli import PROJECT_ROOT
from batch_nlp.errors import ExitCode

# Only what trains, embeds or draws needs these
FOR_WORK = {
    *("feature_engine", "imblearn", "matplotlib", "onnxruntime", "plotly", "scipy", "skops", "sklearn"),
    *("torch", "xgboost"),
}
# ... and these, whatever works on messages
LIBRARIES = FOR_WORK | {"deltalake", "duckdb", "numpy", "pandas", "pyarrow"}


def imported(result: subprocess.CompletedProcess[str]) -> set[str]:
    """Return the packages that a process has imported, as PYTHONPROFILEIMPORTTIME writes them to its error stream."""
    lines = (line for line in result.stderr.splitlines() if line.startswith("import time:"))
    found = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    assert "hydra" in found
    return found


@pytest.fixture
def imports_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")


@pytest.mark.usefixtures("imports_told")
@pytest.mark.parametrize("arguments", [["--help"], ["--cfg", "job"], ["drift.low=much"]])
def test_help_and_wrong_settings_wait_for_no_library(arguments: list[str], tmp_path: Path) -> None:
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


def test_groups_are_listed_as_hydra_lists_them() -> None:
    # set by functools.wraps, of which mypy knows nothing
    hydra_own = ConfigLoaderImpl.get_group_options.__wrapped__  # type: ignore[attr-defined]
    with initialize_config_dir(str(PROJECT_ROOT / "conf"), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        for group in ("", "model", "hydra", "hydra/sweeper", "nowhere"):
            for kind in (ObjectType.CONFIG, ObjectType.GROUP, None):
                assert loader.get_group_options(group, kind) == hydra_own(loader, group, kind)
        assert "xgboost" in loader.get_group_options("model")
        elsewhere = [f"hydra.searchpath=[file://{PROJECT_ROOT / 'conf' / 'hydra'}]"]
        assert "batch_nlp" in loader.get_group_options("help", overrides=elsewhere)


def test_the_settings_of_a_run_are_composed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hydra does it twice: to see whether they ask for a multirun, and again for the run."""
    compose = ConfigLoaderImpl._load_configuration_impl
    composed = []

    def counted(*arguments: object, **named: object) -> object:
        composed.append(named["overrides"])
        return compose(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ConfigLoaderImpl, "_load_configuration_impl", counted)
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


def test_help_takes_little_more_than_importing_hydra(tmp_path: Path) -> None:
    """Hydra composes all settings for it. Before its copies were left out, it took six times as long as the import."""

    def cpu_seconds(*arguments: str) -> float:
        taken = []
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return min(taken)

    # 3 on a quiet machine; the slack is for what else runs beside the tests
    assert cpu_seconds(str(PROJECT_ROOT / "start_batch_nlp.py"), "--help") < 4 * cpu_seconds("-c", "import hydra")
