"""Versions in the registry that this installation cannot run, through the real command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sklearn
from numpy.typing import NDArray
from tests.naming import assert_ended, assert_line_names, assert_names
from tests.projects import LIGHT, Project

from batch_nlp.errors import ExitCode
from batch_nlp.storage.seal import read_sealed, write_sealed
from batch_nlp.training.ngram_scores import NgramScores

TUNED = "batch_nlp.training.tuned_classifier.TunedClassifier"
CLEAN = "batch_nlp.steps.clean_text.CleanText"

Change = Callable[[dict[str, Any]], None]


def of_other_model_code(manifest: dict[str, Any]) -> None:
    manifest["code"]["model"][TUNED] = 7


def of_other_features(manifest: dict[str, Any]) -> None:
    manifest["code"]["features"][CLEAN] = 7
    manifest["data_version"]["feature_version"] = "0123456789ab"


def of_a_type_that_is_gone(manifest: dict[str, Any]) -> None:
    manifest["code"]["model"]["batch_nlp.training.class_words.Dictionary"] = 1


def with_versions(project: Project, **changes: Change | None) -> None:
    """Make versions of the first one, each with a change, the last of them the champion."""
    for version in changes:
        if version != "v0001":
            shutil.copytree(project.models / "v0001", project.models / version)
    for version, change in changes.items():
        path = project.models / version / "manifest.json"
        manifest = read_sealed(path, "")
        if change is not None:
            change(manifest)
        write_sealed(path, manifest)
    *previous, champion = changes
    write_sealed(project.models / "champion.json", {"version": champion, "previous": previous[::-1]})


def add_to_inbox(project: Project) -> None:
    inbox = project.inbox
    first = next(inbox.glob("*.json"))
    (inbox / f"{first.stem}_again.json").write_text(first.read_text().replace('"review_id":"', '"review_id":"new'))


def champion(project: Project) -> str:
    return str(json.loads((project.models / "champion.json").read_bytes())["version"])


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (of_other_model_code, ["TunedClassifier", 7, 1]),
        (of_other_features, ["CleanText", 7, 1]),
        (of_a_type_that_is_gone, ["Dictionary", 1]),
    ],
)
def test_every_pipeline_names_the_difference_and_rollback_skips_the_version(
    project: Project, change: Change, difference: list[object]
) -> None:
    with_versions(project, v0001=None, v0002=change, v0003=change)
    pipelines = ("status", "verify", "inference without messages") if change is of_other_model_code else ()
    for pipeline in (*pipelines, "inference"):
        if pipeline == "inference":
            add_to_inbox(project)
        refused = project.here(f"pipeline={pipeline.split()[0]}")
        told = " ".join((refused.stdout + refused.stderr).split())
        assert refused.returncode == ExitCode.DATA, told
        assert_names(told, *difference, "pipeline=training", "rollback", "v0001")
        assert "damaged" not in told
        assert "Traceback" not in told
    back = project.here("pipeline=rollback")
    assert_ended(back, ExitCode.DONE, "v0002")
    assert champion(project) == "v0001"
    assert project.here("pipeline=inference", "drift.response=alert").returncode in (ExitCode.DONE, ExitCode.DRIFT)


def test_an_unversioned_change_of_code_is_noticed_before_scoring(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def renamed(step: NgramScores, input_features: object = None) -> NDArray[np.object_]:
        return np.array([f"{step.column_}={place}" for place in range(len(step.coef_))])  # type: ignore[attr-defined]

    with_versions(project, v0001=None, v0002=None)
    add_to_inbox(project)
    monkeypatch.setattr(NgramScores, "get_feature_names_out", renamed)
    for pipeline in ("status", "verify", "inference"):
        refused = project.here(f"pipeline={pipeline}")
        told = " ".join((refused.stdout + refused.stderr).split())
        assert refused.returncode == ExitCode.DATA, told
        assert_names(told, "AttributeError", "NgramScores", "column_", "pipeline=training")
    assert project.here("pipeline=rollback").returncode == ExitCode.DATA
    assert champion(project) == "v0002"


@pytest.mark.parametrize("change", [of_other_model_code, None], ids=["other code", "damaged"])
def test_training_replaces_a_champion_that_cannot_run_even_on_the_same_data(
    project: Project, change: Change | None
) -> None:
    with_versions(project, v0001=change)
    if change is None:
        (project.models / "v0001" / "model.skops").write_bytes(b"damaged")
    trained = project.here("pipeline=training", *LIGHT)
    assert trained.returncode == ExitCode.DONE, trained.stderr
    assert champion(project) == "v0002"
    lines = (project.data / "08_reporting" / "decisions.jsonl").read_text().splitlines()
    gate = [found for found in map(json.loads, lines) if found["decision"] == "gate"][-1]
    assert gate["passed"]
    assert "v0001" in gate["not_compared"]
    assert not any("champion" in check["name"] for check in gate["checks"])
    refused = project.here("pipeline=rollback")
    assert refused.returncode == ExitCode.DATA
    assert champion(project) == "v0002"


def test_a_model_of_other_library_versions_that_predicts_as_before_is_used_with_one_warning(project: Project) -> None:
    def trained_elsewhere(manifest: dict[str, Any]) -> None:
        manifest["packages"].update({"scikit-learn": "1.0.2", "xgboost": "1.7.0"})

    with_versions(project, v0001=trained_elsewhere)
    add_to_inbox(project)
    done = project.here("pipeline=inference", "drift.response=alert")
    assert done.returncode in (ExitCode.DONE, ExitCode.DRIFT), done.stderr
    assert done.stderr.count("1.0.2") == 1
    assert_line_names(done.stderr, "v0001", "scikit-learn", "1.0.2", sklearn.__version__)
    assert project.here("pipeline=status").returncode == ExitCode.DONE
