"""Jobs of a sweep side by side, where joblib's launcher is installed: ``uv sync --extra sweeps``."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.naming import assert_names
from tests.projects import Project

from batch_nlp.errors import ExitCode

pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="needs joblib's launcher: uv sync --extra sweeps")

MESSAGES = "sample.messages=800"
SWEEP = ("-m", "pipeline=training", "model=random_forest", "training.inputs=[tabular]", MESSAGES)
PARALLEL = "hydra/launcher=parallel"


def test_jobs_side_by_side_come_to_what_they_come_to_alone(
    tmp_path: Path, new_project: Callable[[Path], Project]
) -> None:
    """The store is empty: one job fills it while the other waits, and then they share it."""
    project = new_project(tmp_path / "project")
    command = (*SWEEP, "training.keep_versions=2")
    result = project.run(*command, PARALLEL, "sweep=parallel", "model.params.max_depth=2,3,-1")
    assert result.returncode == ExitCode.SETTINGS, result.stderr
    assert_names(result.stderr, "parallel.html")
    alone = project.run(*command, "sweep=alone", "model.params.max_depth=3")
    assert alone.returncode == 0, alone.stderr
    found = {}
    for sweep in ("parallel", "alone"):
        report = json.loads((project.data / "08_reporting" / "experiments" / f"{sweep}.json").read_text())
        found[sweep] = {
            experiment["settings"]["model.params.max_depth"]: experiment["metrics"]
            for experiment in report["experiments"]
        }
        runs = [job["run"] for experiment in report["experiments"] for job in experiment["jobs"]]
        assert len(set(runs)) == len(runs)
        assert all((project.data / "07_model_output" / "sample" / f"{run}.parquet").exists() for run in runs)
    assert len(found["parallel"]) == 2
    assert len(found["alone"]) == 1
    assert found["parallel"].items() >= found["alone"].items()
    candidates = [path for path in (project.data / "06_models" / "sample").iterdir() if path.is_dir()]
    assert len(candidates) == 2
    assert not list(project.data.rglob("*.claim.*"))


def test_a_job_that_is_killed_for_its_memory_stops_the_sweep_which_can_be_resumed(
    tmp_path: Path, new_project: Callable[[Path], Project]
) -> None:
    project = new_project(tmp_path / "project")
    command = (*SWEEP, PARALLEL, "sweep=killed", "model.params.max_depth=2,3")
    assert project.run("pipeline=feature", MESSAGES).returncode == 0
    log = tmp_path / "stderr.txt"
    run = project.start(*command, log=log)
    while run.poll() is None:
        at_work = list(project.data.rglob("sweeps/killed/*/.hydra"))
        if at_work and (workers := _workers(run.pid)):
            os.kill(workers[0], signal.SIGKILL)
            break
        time.sleep(0.01)
    assert run.wait() == ExitCode.DATA
    told = log.read_text()
    assert_names(told, "hydra.launcher.n_jobs")
    reports = project.data / "08_reporting" / "experiments"
    # the table on the terminal has it too, folded to the width of its columns
    assert_names((reports / "killed.md").read_text(), "sweep=killed")
    assert json.loads((reports / "killed.json").read_text())["unfinished"]
    resumed = project.run(*command)
    assert resumed.returncode == ExitCode.DONE, resumed.stderr
    report = json.loads((reports / "killed.json").read_text())
    assert (len(report["experiments"]), report["failed"], report["unfinished"]) == (2, [], [])


def _workers(pid: int) -> list[int]:
    """Return the processes of joblib's that a process has started."""
    children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return [child for child in children if b"popen_loky" in Path(f"/proc/{child}/cmdline").read_bytes()]
