"""Searches with Optuna, where it is installed: ``uv sync --extra sweeps``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from tests.conftest import ROOT, MakeConfig
from tests.projects import Project

from batch_nlp.errors import ExitCode
from batch_nlp.training.classifier import build_classifier

pytest.importorskip("hydra_plugins.hydra_optuna_sweeper", reason="needs Optuna: uv sync --extra sweeps")

# the plugin calls Optuna's distributions by names that Optuna will drop one day
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

SEARCHES = sorted(file.stem for file in (ROOT / "conf" / "search").glob("*.yaml"))
# the model that the search names, since the tests' own settings name another one
QUICK_SEARCH = ("+search=random_forest", "model=random_forest", "training.inputs=[tabular]", "sample.messages=800")


def report(project: Project, sweep: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.data / "08_reporting" / "experiments" / f"{sweep}.json").read_text())
    return found


@pytest.mark.parametrize("name", SEARCHES)
def test_every_search_draws_settings_that_its_model_takes(name: str, tmp_path: Path, make_config: MakeConfig) -> None:
    import optuna
    from hydra_plugins.hydra_optuna_sweeper._impl import create_params_from_overrides

    make_config(tmp_path)  # brings the resolvers
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        composed = compose("config", overrides=[f"+search={name}"], return_hydra_config=True)
    assert composed.model.name == name
    assert composed.pipeline.name == "training"
    space, fixed = create_params_from_overrides(
        [f"{key}={value}" for key, value in composed.hydra.sweeper.params.items()]
    )
    assert not fixed
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(4):
        drawn = [f"{key}={value}" for key, value in study.ask(space).params.items()]
        build_classifier(make_config(tmp_path, f"model={name}", *drawn))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, new_project: Callable[[Path], Project]) -> Project:
    """Return an empty project."""
    return new_project(tmp_path_factory.mktemp("searched"))


def test_a_search_is_reported_and_goes_on_where_it_stopped(project: Project) -> None:
    first = project.run(*QUICK_SEARCH, "sweep=trees", "hydra.sweeper.n_trials=2")
    assert first.returncode == 0, first.stderr
    assert "optuna/distributions" not in first.stderr, "warnings that a user can do nothing about"
    before = [experiment["value"] for experiment in report(project, "trees")["experiments"]]
    assert len(before) == 2
    assert before == sorted(before, reverse=True)
    parameters = report(project, "trees")["parameters"]
    assert "training.ngrams.c" in parameters
    assert "model.params.n_estimators" not in parameters, "what is given is not searched"
    again = project.run(*QUICK_SEARCH, "sweep=trees", "hydra.sweeper.n_trials=3")
    assert again.returncode == 0, again.stderr
    assert set(before) <= {experiment["value"] for experiment in report(project, "trees")["experiments"]}
    assert len(list((project.data / "08_reporting" / "training").glob("*.json"))) == 3


def test_failed_trials_do_not_stop_a_search(project: Project) -> None:
    bad = "training.min_class_messages=100000"
    result = project.run(*QUICK_SEARCH, "sweep=failing", "hydra.sweeper.n_trials=2", bad)
    assert result.returncode == ExitCode.DATA, result.stderr
    assert [job["exit_code"] for job in report(project, "failing")["failed"]] == [ExitCode.DATA, ExitCode.DATA]
