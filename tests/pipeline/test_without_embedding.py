"""Features without vectors, through the real command line."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.naming import assert_ended
from tests.projects import LIGHT, Project

WITHOUT = ("features=none", *LIGHT)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_everything_works_without_vectors(project: Project) -> None:
    run = project.here(*WITHOUT, "drift.rules=[share,embedding]")
    assert run.returncode == 0, run.stderr
    (predictions,) = project.data.glob("09_inference/predictions/*/predictions.parquet")
    assert pq.read_metadata(predictions).num_rows > 250
    decisions = [json.loads(line) for line in (project.data / "08_reporting/decisions.jsonl").read_text().splitlines()]
    (batch,) = [decision for decision in decisions if decision["decision"] == "batch"]
    assert "AUC" not in json.dumps(batch), "nothing is compared"
    # no model was loaded, and none distilled
    assert not list(project.data.glob("04_feature/embedding_cache/*"))


def test_inputs_that_need_vectors_are_refused_before_any_work(project: Project) -> None:
    run = project.here("features=none", "training.inputs=[tabular,embedding]")
    assert_ended(run, 2, "training.inputs=[tabular,embedding]", "training.inputs=[tabular,ngrams]")
    assert not (project.data / "04_feature").exists()
