"""Guarantees 1 and 3: ended by Ctrl-C, a time limit, or the system when memory runs out."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fault.conftest import Extent
from tests.fault.forks import ROOT, Forks, Started
from tests.fault.state import SMALL, read_state
from tests.naming import assert_line_names
from tests.projects import Project

RETRAINING = ("pipeline=inference", "drift.high=0.34")


def _steps(forks: Forks, project: Project, tmp_path: Path) -> int:
    file = tmp_path / "steps.json"
    assert forks.run(project, *SMALL, *RETRAINING, quick_check=True, steps=str(file)).code in {0, 5}
    return len(json.loads(file.read_text()))


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", -signal.SIGTERM)])
def test_an_interrupt_at_any_step(
    name: str,
    code: int,
    copy: Callable[[str], Project],
    forks: Forks,
    extent: Extent,
    tmp_path: Path,
    figure: Callable[[str], None],
) -> None:
    """Ctrl-C ends the run with one line and exit code 130; SIGTERM ends it at once, since nothing needs cleaning up."""
    steps = _steps(forks, copy("undisturbed"), tmp_path)
    wanted = extent.steps or 12
    project = copy("project")
    interrupted = 0
    for attempt, step in enumerate(random.Random(name).sample(range(steps), min(steps, 3 * wanted))):
        if interrupted == wanted:
            break
        ended = forks.run(project, *SMALL, *RETRAINING, quick_check=True, kill_at=step, signal=name)
        if ended.code in {0, 5}:
            # earlier ones had come so far that fewer steps were left, or the interrupt came within a callback of a
            # library, which cannot pass it on: a new beginning
            project = copy(f"project{attempt}")
            continue
        interrupted += 1
        assert ended.code == code, ended.err
        assert "Traceback" not in ended.err, ended.err
        if name == "SIGINT":
            assert ended.err, "it is told"
        read_state(project)
    assert interrupted
    after = forks.run(project, *SMALL, *RETRAINING, quick_check=True)
    assert after.code == 0, after.err
    assert set(read_state(project).accounts) > set()
    figure(f"{name}: {interrupted} runs interrupted, each with {code}; every state readable, the next run finished")


def test_a_time_limit_ends_the_run_with_124(copy: Callable[[str], Project]) -> None:
    """As `deploy/run-batch` sets it: `timeout` sends SIGTERM."""
    project = copy("project")
    command = [sys.executable, str(ROOT / "start_batch_nlp.py"), *project.arguments(*SMALL, *RETRAINING)]
    # Python needs a second or two to import its libraries
    ended = subprocess.run(["timeout", "3", *command], capture_output=True, text=True, check=False)
    assert ended.returncode == 124
    assert "Traceback" not in ended.stderr
    read_state(project)


def _children(run: Started) -> list[int]:
    text = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text()
    return [int(pid) for pid in text.split()]


def test_the_process_that_checks_a_model_is_killed_for_its_memory(copy: Callable[[str], Project], forks: Forks) -> None:
    """Guarantee 14: what could not be checked is not published."""
    project = copy("project")
    before = (project.models / "champion.json").read_bytes()
    run = forks.start(project, *SMALL, "pipeline=training", "training.force=true", "seed=9")
    while run.alive():
        for child in _children(run):
            if b"model_folder" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(child, signal.SIGKILL)
        time.sleep(0.01)
    ended = run.wait()
    assert ended.code == 3, ended.err
    assert_line_names(ended.err, 9, "memory")
    assert (project.models / "champion.json").read_bytes() == before
    read_state(project)
