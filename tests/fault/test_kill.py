"""Guarantee 1: real processes, really killed; what they leave is the state before or the state after."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

from deltalake import DeltaTable
from tests.projects import Project

from batch_nlp.storage.registry import Registry

# BATCH_NLP_KILLS=200 for the figure that the guarantee quotes
KILLS = int(os.environ.get("BATCH_NLP_KILLS", "6"))


def _kill_after(project: Project, wait: Callable[[], bool], delay: float, *overrides: str) -> bool:
    """Start a run, kill it some time after a condition holds, and say whether it was still running."""
    process = project.start(*overrides)
    while process.poll() is None and not wait():
        time.sleep(0.005)
    time.sleep(delay)
    alive = process.poll() is None
    if alive:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return alive


def test_training_killed_at_any_point_leaves_a_champion_that_loads(project: Project) -> None:
    draw = random.Random(1)
    registry = Registry(project.models)
    candidates = project.data / "06_models" / "sample"
    killed = 0
    for number in range(KILLS):
        before = set(candidates.iterdir())
        # the odd ones are killed between the candidate and its publication, where the pointer moves
        late = bool(number % 2)

        def reached(before: set[Path] = before, late: bool = late) -> bool:
            return not late or any(not path.name.startswith(".") for path in set(candidates.iterdir()) - before)

        arguments = ("training.gate.tolerance=1.0", "training.gate.max_recall_drop=null", f"seed={number}")
        delay = draw.uniform(0, 3.5 if late else 6)
        killed += _kill_after(project, reached, delay, "pipeline=training", "training.force=true", *arguments)
        champion = registry.champion()
        assert champion is not None
        assert champion.version in registry.versions()
    assert killed, "no run was killed while it worked; the delays are too long for this machine"
    result = project.here("pipeline=training", "training.force=true", *arguments[:2], "seed=77")
    assert result.returncode == 0, result.stderr
    assert not list(project.models.glob(".*.tmp")), "what a killed run left behind is swept up by the next"
    print(f"{killed} of {KILLS} runs killed, every champion loads")


def test_a_retraining_that_was_killed_is_done_by_the_next_run(project: Project) -> None:
    """Guarantees 11 and 19: the batch is not finished before its verdict is answered."""
    assert project.here("pipeline=sample", "sample.part=batch").returncode == 0
    log = project.data / "08_reporting" / "decisions.jsonl"
    lines = len(log.read_text().splitlines())
    # a band that every batch leaves
    arguments = ("pipeline=inference", "drift.high=0.34")
    assert _kill_after(project, lambda: len(log.read_text().splitlines()) > lines, 0.3, *arguments)
    result = project.here(*arguments)
    assert result.returncode == 5, result.stderr
    kinds = [json.loads(line)["decision"] for line in log.read_text().splitlines()[lines:]]
    assert kinds == ["batch", "gate", "retraining"]
    assert json.loads(log.read_text().splitlines()[-1])["champion"] == "v0001"
    assert "skipped" in project.here(*arguments).stderr


def test_features_killed_at_any_point_are_all_there_after_the_next_run(
    tmp_path: Path, first_run: tuple[Project, object], new_project: Callable[[Path], Project]
) -> None:
    draw = random.Random(2)
    history = first_run[0].data / "01_raw" / "sample"
    project = new_project(tmp_path / "project")
    store = project.data / "04_feature" / "sample"
    arguments = ("pipeline=feature", f"dataset.raw_dir={history}", "engine.batch_rows=100", "engine.commit_rows=200")
    killed = 0
    for _ in range(KILLS):
        killed += _kill_after(project, store.exists, draw.uniform(0, 1.0), *arguments)
    assert killed, "no run was killed while it worked; the delays are too long for this machine"
    result = project.here(*arguments)
    assert result.returncode == 0, result.stderr
    (table,) = store.glob("features-*")
    (whole,) = (first_run[0].data / "04_feature" / "sample").glob("features-*")
    found = DeltaTable(str(table)).to_pyarrow_table(columns=["message_id"])["message_id"].to_pylist()
    assert len(found) == len(set(found)), "nothing is stored twice"
    labels = DeltaTable(str(store / "labels")).to_pyarrow_table(columns=["message_id"])["message_id"].to_pylist()
    assert len(labels) == len(set(labels))
    # the first run has also stored its inference batch
    assert set(found) <= set(DeltaTable(str(whole)).to_pyarrow_table(columns=["message_id"])["message_id"].to_pylist())
    assert len(found) > 1400
    assert table.name == whole.name


def test_inference_killed_at_any_point_finishes_just_that_batch(project: Project) -> None:
    draw = random.Random(3)
    assert project.here("pipeline=sample", "sample.part=batch", "sample.batch_messages=600").returncode == 0
    records = project.data / "09_inference" / "batches"
    done = set(records.glob("*.json"))
    arguments = ("pipeline=inference", "drift.response=none", "engine.batch_rows=50", "engine.commit_rows=100")
    for _ in range(KILLS):
        _kill_after(project, lambda: bool(set(records.glob("*.json")) - done), draw.uniform(0, 2.0), *arguments)
    result = project.here(*arguments)
    assert result.returncode == 0, result.stderr
    (record,) = set(records.glob("*.json")) - done
    batch = json.loads(record.read_text())
    assert batch["state"] == "done"
    accounts = batch["accounts"]
    assert accounts["in"] == accounts["predicted"] + accounts["duplicates"] + accounts["quarantined"] > 600
    assert [
        path.name for path in (project.data / "09_inference" / "predictions").iterdir() if path.name[0] == "."
    ] == []
