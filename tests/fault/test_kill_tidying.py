"""Guarantees 1, 2, 5 and 6 while old batches are removed and tables compacted."""

from __future__ import annotations

import json
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fault.conftest import Extent
from tests.fault.forks import Forks
from tests.fault.state import SMALL, State, left_over, read_state
from tests.projects import Project
from tests.settings import default

from batch_nlp.config import EngineConfig
from batch_nlp.storage.feature_store import DataVersion, FeatureStore
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.manifest import read_manifest
from batch_nlp.storage.registry import Registry

INFERENCE = (*SMALL, "pipeline=inference", "drift.response=none", "quarantine.max_share=1.0")
KEEP_TWO = (*INFERENCE, "retention.batches=2", "retention.samples=1", "retention.runs=3")
BATCHES = 6


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, small_project: Project, forks: Forks) -> Project:
    """Return a project with more batches, commits and run folders than are to be kept."""
    project = Project(tmp_path_factory.mktemp("full") / "project")
    shutil.copytree(small_project.folder, project.folder, symlinks=True)
    for number in range(BATCHES):
        rows = [
            {"review_id": f"kept-{number}-{row}", "text": f"good food {row}", "date": "2026-01-02"} for row in range(5)
        ]
        rows = [{"user_id": "u", "business_id": "b", **row} for row in rows]
        file = project.inbox / f"review_{number}.json"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        ended = forks.run(project, *INFERENCE)
        assert ended.code == 0, ended.err
    return project


def _trained_on(project: Project) -> dict[str, list[str]]:
    """Return the messages that each version of the model was trained on, as the store has them."""
    registry, store = (
        Registry(project.models),
        FeatureStore(Layers(project.data, "sample").feature_store, default(EngineConfig)),
    )
    versions = {
        version: DataVersion(**read_manifest(registry.root / version)["data_version"])
        for version in registry.versions()
    }
    return {version: sorted(store.labelled(data)["message_id"]) for version, data in versions.items()}


def _summary(state: State) -> tuple[object, ...]:
    return *state.outcome, len(state.accounts)


def test_tidying_killed_at_any_step_is_completed_by_the_next_run(
    full: Project, forks: Forks, extent: Extent, figure: Callable[[str], None], tmp_path: Path
) -> None:
    before, trained_on = read_state(full), _trained_on(full)
    assert len(before.accounts) == BATCHES + 1
    steps_file, undisturbed = tmp_path / "steps.json", Project(tmp_path / "undisturbed")
    shutil.copytree(full.folder, undisturbed.folder, symlinks=True)
    ended = forks.run(undisturbed, *KEEP_TWO, commits=2, steps=str(steps_file))
    assert ended.code == 0, ended.err
    steps, expected = json.loads(steps_file.read_text()), read_state(undisturbed)
    assert len(expected.accounts) == 2
    assert expected.features == before.features
    assert _trained_on(undisturbed) == trained_on
    chosen = range(len(steps))
    if 0 < extent.steps < len(steps):
        chosen = sorted(random.Random("tidying").sample(chosen, extent.steps))
    for step in chosen:
        project, told = Project(tmp_path / f"{step}"), f"killed at step {step}, {steps[step]}"
        shutil.copytree(full.folder, project.folder, symlinks=True)
        killed = forks.run(project, *KEEP_TWO, commits=2, kill_at=step)
        assert killed.code == -signal.SIGKILL, f"{told}: {killed.err}"
        state = read_state(project)
        assert (state.features, state.labels) == (before.features, before.labels), told
        assert state.accounts.items() >= expected.accounts.items(), told
        assert _trained_on(project) == trained_on, told
        verified = forks.run(project, *SMALL, "pipeline=verify")
        assert verified.code == 0, f"{told}: {verified.out}{verified.err}"
        after = forks.run(project, *KEEP_TWO, commits=2)
        assert after.code == 0, f"{told}: {after.err}"
        assert _summary(read_state(project)) == _summary(expected), told
        assert _trained_on(project) == trained_on, told
        assert left_over(project) == [], told
        kept = {path.stem for path in (project.data / "09_inference" / "batches").glob("*.json")}
        for folder in ("08_reporting/batches/2*.html", "09_inference/predictions/*", "09_inference/quarantine/2*"):
            assert {path.stem for path in project.data.glob(folder)} <= kept, told
        # nothing that is in the inbox is scored again
        assert read_state(project).predicted.keys() == expected.predicted.keys(), told
        shutil.rmtree(project.folder)
    figure(
        f"tidying: killed at {len(chosen)} of {len(steps)} steps; each next run came to the end of an undisturbed one"
    )
