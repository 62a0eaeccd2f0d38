from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from batch_nlp.config import Config
from batch_nlp.tracking.tracked_training import HydraJob, TrackedTraining, metrics, parameters, tags
from batch_nlp.tracking.tracker import Tracker

MANIFEST = {
    "dataset": "sample",
    "data_version": {"feature_version": "f1", "features": 3, "labels": 4},
    "training_fingerprint": "abc",
    "sha256": "def",
}


def training(**changes: Any) -> TrackedTraining:
    values: dict[str, Any] = {
        "run": "run-1",
        "started": datetime(2026, 1, 2, tzinfo=UTC),
        "seconds": 1.5,
        "candidate": Path("nowhere"),
        "metrics": {"f1_macro": 0.5},
    }
    return TrackedTraining(**{**values, **changes})


def test_parameters_are_the_settings_that_a_model_follows_from(
    make_config: Callable[..., Config], tmp_path: Path
) -> None:
    found = parameters(make_config(tmp_path, "model.params.max_depth=7", "seed=5", "tracking=mlflow"))
    assert found["model.params.max_depth"] == "7"
    assert found["seed"] == "5"
    assert found["dataset.split"] == "time"
    assert found["features.embedding.backend"] == "static"
    assert found["dataset.name"] == "sample"
    assert not [name for name in found if name.startswith(("paths", "tracking"))]
    assert str(tmp_path) not in json.dumps(found)


def test_metrics_are_the_finite_numbers_under_names_that_can_be_kept() -> None:
    nested = {
        "f1_macro": 0.5,
        "classes": {"très négatif": {"recall": 0.25}, "a/b #1": {"recall": 1}},
        "ece": float("nan"),
        "confusion": [[1, 2], [3, 4]],
        "calibrated": True,
        "note": "text",
    }
    assert metrics(training(metrics=nested)) == {
        "f1_macro": 0.5,
        "classes.très négatif.recall": 0.25,
        "classes.a/b _1.recall": 1.0,
        "seconds": 1.5,
    }


@pytest.mark.parametrize(
    ("passed", "version", "alias", "gate"),
    [
        (True, "v0003", "champion", "passed"),
        (False, None, "challenger", "failed"),
        (None, None, None, "not asked"),
    ],
)
def test_the_alias_follows_from_what_the_gate_said(
    passed: bool | None, version: str | None, alias: str | None, gate: str
) -> None:
    found = training(passed=passed, version=version, reason="too low" if passed is False else "")
    assert found.alias == alias
    labels = tags(found, MANIFEST, None)
    assert labels["batch_nlp.gate"] == gate
    assert labels.get("batch_nlp.version") == version
    assert labels.get("batch_nlp.gate_reason") == ("too low" if passed is False else None)
    assert labels["batch_nlp.feature_version"] == "f1"
    assert labels["batch_nlp.training_fingerprint"] == "abc"


def test_a_job_of_a_multirun_carries_its_overrides_and_its_sweep() -> None:
    job = HydraJob(Path("/data/sweeps/autumn/0"), Path("/data/sweeps/autumn"), ["model=xgboost", "seed=3"])
    labels = tags(training(), MANIFEST, job)
    assert labels["batch_nlp.sweep"] == "autumn"
    assert labels["batch_nlp.overrides"] == "model=xgboost seed=3"
    single = tags(training(), MANIFEST, HydraJob(Path("runs/1"), None, ["seed=3"]))
    assert not {"batch_nlp.sweep", "batch_nlp.overrides"} & set(single)


def test_without_a_backend_nothing_is_kept(make_config: Callable[..., Config], tmp_path: Path) -> None:
    tracker = Tracker(make_config(tmp_path))
    before = sorted(tmp_path.rglob("*"))
    tracker.training(training())
    tracker.rollback(tmp_path / "v0002", tmp_path / "v0001")
    assert sorted(tmp_path.rglob("*")) == before
