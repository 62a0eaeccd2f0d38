"""Guarantees 1, 5 and 19 for requeued rows and for sweeps."""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
from tests.fault.conftest import Extent
from tests.fault.forks import Forks
from tests.fault.state import SMALL, read_state
from tests.projects import Project

from batch_nlp.storage.layers import Layers

# a label of eleven stars is refused by the dataset, and let in by this setting
REQUEUE = (*SMALL, "pipeline=requeue", "dataset.label.rare={as: ignore}")
SWEEP = (*SMALL, "-m", "pipeline=training", "sweep=nightly", "model.params.max_depth=2,3,4")


def _rows_anywhere(project: Project) -> tuple[Counter[str], Counter[str]]:
    """Return the rows of the quarantine files, and those of the raw files that a requeue made, by id."""
    folder = Layers(project.data, "sample").feature_quarantine
    waiting = Counter(
        row["message_id"] for path in folder.glob("[!.]*.parquet") for row in pq.read_table(path).to_pylist()
    )
    raw = (project.data / "01_raw" / "sample").glob("*requeued*")
    back = Counter(json.loads(line)["review_id"] for path in raw for line in path.read_text().splitlines())
    return waiting, back


def _again(project: Project, folder: Path) -> Project:
    shutil.copytree(project.folder, folder, symlinks=True)
    return Project(folder)


def test_a_requeue_killed_at_any_step_loses_no_row_and_brings_none_back_twice(
    copy: Callable[[str], Project], forks: Forks, extent: Extent, figure: Callable[[str], None], tmp_path: Path
) -> None:
    steps_file, untouched = tmp_path / "steps.json", copy("untouched")
    rows = [
        {"review_id": f"late{n}", "user_id": "u", "business_id": "b", "text": "good", "stars": 11, "date": "2020-01-01"}
        for n in range(5)
    ]
    late = untouched.data / "01_raw" / "sample" / "yelp_academic_dataset_review_late.json"
    late.write_text("\n".join(map(json.dumps, rows)) + "\n")
    assert forks.run(untouched, *SMALL, "pipeline=feature", "quarantine.max_share=1.0").code == 0
    before, _ = _rows_anywhere(untouched)
    undisturbed = _again(untouched, tmp_path / "undisturbed")
    assert forks.run(undisturbed, *REQUEUE, steps=str(steps_file)).code == 0
    steps = json.loads(steps_file.read_text())
    waiting, back = _rows_anywhere(undisturbed)
    assert back == Counter(row["review_id"] for row in rows)
    assert waiting + back == before
    chosen = range(len(steps))
    if 0 < extent.steps < len(steps):
        chosen = sorted(random.Random("requeue").sample(chosen, extent.steps))
    for step in chosen:
        project = _again(untouched, tmp_path / f"{step}")
        killed = forks.run(project, *REQUEUE, kill_at=step)
        assert killed.code == -signal.SIGKILL, f"{steps[step]}: {killed.err}"
        left, put = _rows_anywhere(project)
        assert not before - (left + put), f"lost at {steps[step]}"
        assert forks.run(project, *SMALL, "pipeline=verify").code == 0
        assert forks.run(project, *REQUEUE).code == 0
        assert _rows_anywhere(project) == (waiting, back), f"killed at step {step}, {steps[step]}"
        shutil.rmtree(project.folder)
    figure(f"requeue: killed at {len(chosen)} of {len(steps)} steps; no row lost, none brought back twice")


def test_a_sweep_killed_at_a_random_moment_goes_on_where_it_stopped(
    copy: Callable[[str], Project], forks: Forks, extent: Extent, figure: Callable[[str], None]
) -> None:
    undisturbed, project = copy("undisturbed"), copy("project")
    start = time.perf_counter()
    assert forks.run(undisturbed, *SWEEP, quick_check=True).code == 0
    longest = time.perf_counter() - start
    expected = _experiments(undisturbed)
    assert len(expected) == 3
    draw, killed, jobs = random.Random("sweep"), 0, 0
    for _ in range(max(1, extent.kills // 10)):
        killed += forks.kill_after(draw.uniform(0, longest), project, *SWEEP, quick_check=True)
        read_state(project)
        done = len(_results(project))
        assert done >= jobs, "a job that is done stays done"
        jobs = done
    before = {path: path.read_bytes() for path in _results(project)}
    ended = forks.run(project, *SWEEP, quick_check=True)
    assert ended.code == 0, ended.err
    assert {path: path.read_bytes() for path in before} == before, "a job that is done is not run again"
    assert _experiments(project) == expected
    assert forks.run(project, *SMALL, "pipeline=verify").code == 0
    figure(f"sweep: killed {killed} times; {jobs} of 3 jobs were done by then and were not run again")


def _results(project: Project) -> list[Path]:
    return sorted((project.data / "08_reporting" / "sweeps").rglob("result.json"))


def _experiments(project: Project) -> dict[str, object]:
    report = json.loads((project.data / "08_reporting" / "experiments" / "nightly.json").read_text())
    assert not report["failed"]
    return {one["settings"]["model.params.max_depth"]: one["metrics"] for one in report["experiments"]}
