"""Whose settings a retraining takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from tests.settings import default

from batch_nlp.config import (
    Balance,
    Config,
    DatasetConfig,
    DriftConfig,
    GateConfig,
    ModelConfig,
    RetrainWith,
    ThresholdsConfig,
    TrainingConfig,
    plain,
)
from batch_nlp.monitoring.breaker import Outcome
from batch_nlp.runner import retraining
from batch_nlp.runner.recipe import OF_THE_JOB

CHAMPIONS = default(
    Config,
    seed=7,
    model=ModelConfig("forest", "sklearn.ensemble.RandomForestClassifier", {"n_estimators": 20}),
    training=default(
        TrainingConfig,
        steps=[{"_target_": "batch_nlp.training.classifier.training"}],
        balance=Balance.smote,
        window=3,
        refit=True,
        keep_versions=9,
    ),
)
JOBS = default(
    Config,
    seed=1,
    dataset=default(DatasetConfig, name="sample"),
    model=ModelConfig("svc", "sklearn.svm.LinearSVC", {}),
    training=default(
        TrainingConfig,
        metric="f1_macro",
        gate=default(GateConfig, tolerance=0.5, max_recall_drop=None),
        thresholds=ThresholdsConfig(recall=0.25, f1_macro=None, f1_weighted=None),
        promote=False,
        force=True,
        rows_in_memory=5,
        keep_versions=3,
    ),
)


def manifest(**settings: Any) -> dict[str, Any]:
    written = {"seed": 7, "model": plain(CHAMPIONS.model), "training": plain(CHAMPIONS.training), **settings}
    return {"dataset": "sample", "training_fingerprint": "of the champion", "settings": written}


@dataclass(frozen=True)
class Job:
    """As much of a run as a retraining needs."""

    config: Config
    manifest: dict[str, Any] | None
    store: None = None
    definition: Any = field(default_factory=lambda: SimpleNamespace(version="f"))

    @property
    def registry(self) -> Any:
        return SimpleNamespace(champion_version=lambda: "v0002", champion_manifest=lambda: self.manifest)


@pytest.fixture
def trained_with(monkeypatch: pytest.MonkeyPatch) -> list[Config]:
    """Return the settings of each training, and of each fingerprint, in their order."""
    used: list[Config] = []

    def train_candidate(run: Job, *, reason: str) -> Any:
        used.append(run.config)
        decision = SimpleNamespace(passed=True, same_as_champion=False)
        return SimpleNamespace(decision=decision, version="v0003", candidate="c")

    def training_fingerprint(config: Config, store: None, version: str) -> str:
        used.append(config)
        return "of the champion" if config.model == CHAMPIONS.model else "of the job"

    monkeypatch.setattr(retraining, "train_candidate", train_candidate)
    monkeypatch.setattr("batch_nlp.training.origin.training_fingerprint", training_fingerprint)
    return used


def retrain(job: Job, model: str = "v0002") -> Outcome:
    return retraining._train_again(job, SimpleNamespace(model_version=model), "batch b", "it is the first alarm")[0]  # type: ignore[arg-type]


def test_a_retraining_takes_the_champions_model_and_training_and_the_jobs_gate(trained_with: list[Config]) -> None:
    assert retrain(Job(JOBS, manifest())) is Outcome.PROMOTED
    fingerprint, training = trained_with
    assert fingerprint == training
    assert (training.seed, training.model) == (7, CHAMPIONS.model)
    kept = {name: getattr(JOBS.training, name) for name in OF_THE_JOB}
    assert training.training == replace(CHAMPIONS.training, promote=True, window=0, **kept)
    assert (training.dataset, training.drift) == (JOBS.dataset, JOBS.drift)


def test_it_takes_the_jobs_where_that_is_asked_for(trained_with: list[Config]) -> None:
    asked = replace(JOBS, drift=default(DriftConfig, retrain_with=RetrainWith.settings))
    retrain(Job(asked, manifest()))
    expected = replace(asked, training=replace(JOBS.training, promote=True))
    assert trained_with == [expected, expected]


@pytest.mark.parametrize(
    "champion",
    [
        None,
        {**manifest(), "dataset": "another"},
        manifest(training={**plain(CHAMPIONS.training), "gone": 1}),
        manifest(training={"balance": "a way that was removed"}),
        manifest(model={"name": "forest"}),
        manifest(seed="x"),
        {**manifest(), "settings": None},
        {name: value for name, value in manifest().items() if name != "settings"},
    ],
)
def test_settings_that_cannot_be_taken_do_not_keep_it_from_retraining(
    trained_with: list[Config], champion: dict[str, Any] | None, warnings: list[str]
) -> None:
    assert retrain(Job(JOBS, champion)) is Outcome.PROMOTED
    assert trained_with[-1].model == JOBS.model
    there = champion is not None and champion["dataset"] == "sample"
    assert ["drift.retrain_with=settings" in line for line in warnings] == [True] * there


def test_a_champion_that_came_from_just_this_data_with_its_own_settings_is_not_trained_again(
    trained_with: list[Config],
) -> None:
    assert retrain(Job(JOBS, manifest()), model="v0001") is Outcome.PROMOTED
    assert len(trained_with) == 1  # its fingerprint was asked for, and nothing trained
