"""Guarantees 1, 18 and 19: real processes, really killed; what they leave is the state before or the state after."""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fault.conftest import Extent
from tests.fault.forks import Forks
from tests.fault.state import SMALL, left_over, read_state
from tests.naming import assert_names
from tests.projects import Project

from batch_nlp.errors import ExitCode

# What a pipeline is asked to do; the small project has work for each
FORCED = ("pipeline=training", "training.force=true", "seed=3")
RUNS: dict[str, tuple[str, ...]] = {
    "feature": ("pipeline=feature",),
    "training": FORCED,
    "inference": ("pipeline=inference", "drift.response=none"),
    "retraining": ("pipeline=inference", "drift.high=0.34", "drift.rescore=true"),
    "rollback": ("pipeline=rollback",),
}
# Share of the random kills
RANDOM = {"feature": 0.3, "training": 0.15, "inference": 0.3, "retraining": 0.2, "rollback": 0.05}


def _without_features(project: Project) -> None:
    """Undo the feature pipeline."""
    for folder in ("02_intermediate", "03_primary", "04_feature"):
        shutil.rmtree(project.data / folder / "sample", ignore_errors=True)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_killed_at_any_step_is_as_before_or_done(
    name: str,
    copy: Callable[[str], Project],
    forks: Forks,
    extent: Extent,
    figure: Callable[[str], None],
    tmp_path: Path,
) -> None:
    """Before and after each rename, commit, decision and removal, and after each step of the pipelines."""
    arguments = (*SMALL, *RUNS[name])
    undisturbed = copy("undisturbed")
    if name == "feature":
        _without_features(undisturbed)
    untouched = tmp_path / "untouched"
    shutil.copytree(undisturbed.folder, untouched, symlinks=True)
    steps_file = tmp_path / "steps.json"
    ended = forks.run(undisturbed, *arguments, quick_check=True, steps=str(steps_file))
    assert ended.code == 0, ended.err
    steps = json.loads(steps_file.read_text())
    expected, before = read_state(undisturbed), read_state(Project(untouched))
    chosen = range(len(steps))
    if 0 < extent.steps < len(steps):
        chosen = sorted(random.Random(name).sample(chosen, extent.steps))
    as_before = 0
    for step in chosen:
        project = Project(tmp_path / f"{step}")
        shutil.copytree(untouched, project.folder, symlinks=True)
        killed = forks.run(project, *arguments, quick_check=True, kill_at=step)
        assert killed.code == -signal.SIGKILL, f"{steps[step]}: {killed.err}"
        as_before += read_state(project).outcome == before.outcome
        verified = forks.run(project, *SMALL, "pipeline=verify")
        assert verified.code == 0, f"killed at step {step}, {steps[step]}: {verified.out}{verified.err}"
        if name == "rollback" and _champion(project) == _champion(undisturbed):
            shutil.rmtree(project.folder)  # it was done; another one would go back further
            continue
        # it was done and entered in the log: forced once more, the training finds its own model
        again = name == "training" and _last_decision(project).get("champion") == _champion(undisturbed)
        after = forks.run(project, *arguments, quick_check=True)
        assert after.code == (ExitCode.GATE if again else 0), f"killed at step {step}, {steps[step]}: {after.err}"
        assert read_state(project).outcome == expected.outcome, f"killed at step {step}, {steps[step]}"
        assert left_over(project) == []
        if name == "retraining":
            log = (project.data / "08_reporting" / "decisions.jsonl").read_text().splitlines()
            kinds = [json.loads(line)["decision"] for line in log]
            assert kinds.count("retraining") == 1, "one retraining for one batch (guarantee 11)"
            assert "held back" not in kinds
        shutil.rmtree(project.folder)
    figure(
        f"{name}: killed at {len(chosen)} of {len(steps)} steps; every state readable, {as_before} times nothing was "
        "committed yet; each next run came to the end of an undisturbed one"
    )


def test_a_model_that_a_killed_run_has_published_is_not_trained_again(
    copy: Callable[[str], Project], forks: Forks, tmp_path: Path
) -> None:
    """Guarantee 11: the run is killed before it could enter its retraining in the log."""
    arguments = (*SMALL, *RUNS["retraining"])
    undisturbed, project, steps_file = copy("undisturbed"), copy("project"), tmp_path / "steps.json"
    assert forks.run(undisturbed, *arguments, quick_check=True, steps=str(steps_file)).code == 0
    steps = json.loads(steps_file.read_text())
    entries = [step for step, name in enumerate(steps) if name == "before append_line"]
    assert forks.run(project, *arguments, quick_check=True, kill_at=entries[-1]).code == -signal.SIGKILL
    published = _champion(project)
    assert published == _champion(undisturbed)
    batch = max((project.data / "09_inference" / "predictions").iterdir())
    (batch / ".rescored-v0003.parquet.0123abcd.tmp").touch()  # as a kill leaves it that comes while rescoring
    ended = forks.run(project, *arguments, quick_check=True)
    assert ended.code == 0, ended.err
    assert left_over(project) == []
    assert_names(ended.err, published)
    assert _champion(project) == published
    entry = _last_decision(project)
    assert (entry["decision"], entry["outcome"], entry["champion"]) == ("retraining", "promoted", published)
    assert entry["model"] != published
    assert read_state(project).outcome == read_state(undisturbed).outcome


def test_a_forced_training_that_was_killed_after_publishing_is_completed(
    copy: Callable[[str], Project], forks: Forks, tmp_path: Path
) -> None:
    """Guarantee 1: the log names each champion, and the next run does not compare a model with itself."""
    arguments = (*SMALL, *FORCED)
    undisturbed, project, steps_file = copy("undisturbed"), copy("project"), tmp_path / "steps.json"
    assert forks.run(undisturbed, *arguments, quick_check=True, steps=str(steps_file)).code == 0
    entry = json.loads(steps_file.read_text()).index("before append_line")
    assert forks.run(project, *arguments, quick_check=True, kill_at=entry).code == -signal.SIGKILL
    published = _champion(project)
    assert published == _champion(undisturbed)
    ended = forks.run(project, *arguments, quick_check=True)
    assert ended.code == 0, ended.err
    assert _champion(project) == published
    assert _without_times(_last_decision(project)) == _without_times(_last_decision(undisturbed))


def _last_decision(project: Project) -> dict[str, Any]:
    decision: dict[str, Any] = json.loads(
        (project.data / "08_reporting" / "decisions.jsonl").read_text().splitlines()[-1]
    )
    return decision


def _without_times(decision: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in decision.items() if key not in {"at", "run", "candidate", "reason", "check"}}


def _champion(project: Project) -> str:
    return str(json.loads((project.models / "champion.json").read_text())["version"])


@pytest.mark.parametrize("name", RUNS)
def test_a_run_killed_at_a_random_moment_leaves_a_state_that_works(
    name: str, copy: Callable[[str], Project], forks: Forks, extent: Extent, figure: Callable[[str], None]
) -> None:
    """One run after the other is killed, each working on what the one before it left."""
    draw = random.Random(name)
    kills = max(1, round(extent.kills * RANDOM[name]))
    project, undisturbed = copy("project"), copy("undisturbed")
    arguments = (*SMALL, *RUNS[name])
    for made in (project, undisturbed):
        if name == "feature":
            _without_features(made)
    longest = _seconds(forks, undisturbed, arguments)
    expected = read_state(undisturbed)
    untouched = copy("untouched")
    if name == "feature":
        _without_features(untouched)
    working = attempts = 0
    while working < kills:
        attempts += 1
        assert attempts < 5 * kills + 10, "most runs end before they are killed"
        if forks.kill_after(draw.uniform(0, longest), project, *arguments, quick_check=attempts % 5 > 0):
            working += 1
        else:  # it was done: begin anew, for there is nothing more to do
            shutil.rmtree(project.folder)
            shutil.copytree(untouched.folder, project.folder, symlinks=True)
        read_state(project)
    ended = forks.run(project, *arguments)
    allowed = {"rollback": {0, 3}}.get(name, {0})
    assert ended.code in allowed, ended.err
    assert read_state(project).outcome == expected.outcome
    assert left_over(project) == []
    figure(f"{name}: {working} of {attempts} runs killed while they worked; every state readable")


def _seconds(forks: Forks, project: Project, arguments: tuple[str, ...]) -> float:
    start = time.perf_counter()
    ended = forks.run(project, *arguments, quick_check=True)
    assert ended.code == 0, ended.err
    return time.perf_counter() - start
