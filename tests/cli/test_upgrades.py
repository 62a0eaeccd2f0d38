"""States that earlier commits wrote, under this one: taken over, or refused with the command that helps.

``tests/data`` keeps what a full run and a second training left at each of them, of a few messages.
"""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ROOT
from tests.naming import assert_ended, assert_names, names
from tests.projects import Project

from batch_nlp.errors import ExitCode
from batch_nlp.storage.seal import write_sealed
from batch_nlp.storage.state_format import STATE_FORMAT

# the settings that the states were made with
SMALL = (
    "sample.messages=150",
    "sample.batch_messages=40",
    "sample.broken_share=0",
    "model.params.n_estimators=4",
    "model.params.learning_rate=0.3",
    "model.params.min_child_weight=1",
    "training.min_class_messages=5",
    "training.thresholds.f1_macro=0.1",
    "training.thresholds.f1_weighted=0.1",
    "training.thresholds.recall=0.0",
    "training.ngrams.max_features=500",
    "drift.response=alert",
    "drift.low=0",  # a model of so few messages may predict hardly any of a class
)
# another candidate, that is compared with the champion and need not be better
ANOTHER = ("model.params.n_estimators=6", "training.gate.tolerance=1.0", "training.gate.max_recall_drop=1.0")
BEFORE_ROLES, BEFORE_CODE_VERSIONS = "state-63447ad", "state-d3fc8c4"


@pytest.fixture
def state(tmp_path: Path, new_project: Callable[[Path], Project]) -> Callable[[str], Project]:
    """Return a function that unpacks a state, and puts a file of new messages into its inbox."""

    def unpack(name: str) -> Project:
        project = new_project(tmp_path / "project")
        with tarfile.open(ROOT / "tests" / "data" / f"{name}.tar.xz") as archive:
            archive.extractall(project.folder, filter="data")
        inbox = project.inbox
        first = next(inbox.glob("*.json")).read_text()
        (inbox / "yelp_academic_dataset_review_batch_0002.json").write_text(
            first.replace('"review_id":"', '"review_id":"new')
        )
        return project

    return unpack


def decisions(project: Project, kind: str) -> list[dict[str, Any]]:
    lines = (project.data / "08_reporting" / "decisions.jsonl").read_text().splitlines()
    return [found for found in map(json.loads, lines) if found["decision"] == kind]


@pytest.mark.long
def test_a_state_of_before_roles_is_refused_with_the_command_that_takes_it_over(
    state: Callable[[str], Project],
) -> None:
    project = state(BEFORE_ROLES)
    for pipeline in ("status", "verify", "inference"):
        refused = project.here(f"pipeline={pipeline}", *SMALL)
        assert refused.returncode == ExitCode.DATA, refused.stderr
        assert_names(" ".join((refused.stderr + refused.stdout).split()), "v0002", "pipeline=training")
        assert "Traceback" not in refused.stderr + refused.stdout
        assert "damaged" not in refused.stderr + refused.stdout
    refused = project.here("pipeline=rollback", *SMALL)
    assert_ended(refused, ExitCode.DATA, "v0002")

    trained = project.here("pipeline=training", *SMALL)
    assert trained.returncode == ExitCode.DONE, trained.stderr
    gate = decisions(project, "gate")[-1]
    assert (gate["passed"], gate["champion_before"], gate["champion"]) == (True, "v0002", "v0003")
    assert_names(gate["not_compared"], "v0002")
    assert gate["not_compared"] in (project.models / "v0003" / "model_card.md").read_text().replace("\\", "")

    for pipeline in ("status", "inference", "verify"):
        done = project.here(f"pipeline={pipeline}", *SMALL)
        assert done.returncode == ExitCode.DONE, done.stderr
    assert decisions(project, "batch")[-1]["accounts"]["predicted"] > 0
    assert project.here("pipeline=rollback", *SMALL).returncode == ExitCode.DATA
    assert json.loads((project.models / "champion.json").read_text())["version"] == "v0003"


@pytest.mark.long
def test_a_state_of_before_versions_of_code_is_taken_over(state: Callable[[str], Project]) -> None:
    project = state(BEFORE_CODE_VERSIONS)
    for pipeline in ("status", "verify", "inference", "rollback", "status", "training", "verify", "rollback"):
        done = project.here(f"pipeline={pipeline}", *SMALL, *ANOTHER)
        assert done.returncode == ExitCode.DONE, (pipeline, done.stderr)
    assert decisions(project, "batch")[-1]["accounts"]["predicted"] > 0
    assert [found["champion"] for found in decisions(project, "rollback")] == ["v0001", "v0001"]
    gate = decisions(project, "gate")[-1]
    assert (gate["champion"], gate["not_compared"]) == ("v0003", "")
    assert any("champion" in check["name"] for check in gate["checks"])


@pytest.mark.parametrize(
    ("root", "pipeline"),
    [("data", "status"), ("data", "inference"), ("models", "verify"), ("models", "training"), ("models", "rollback")],
)
def test_a_state_of_a_newer_release_is_left_alone_and_not_called_damaged(
    project: Project, root: str, pipeline: str
) -> None:
    file = project.folder / root / "format.json"
    assert json.loads(file.read_text())["format"] == STATE_FORMAT
    file.write_text(json.dumps({"format": STATE_FORMAT + 1, "release": "9.1.0"}))
    before = {path: path.read_bytes() for path in project.models.rglob("*") if path.is_file()}
    refused = project.here(f"pipeline={pipeline}")
    assert_ended(refused, ExitCode.DATA, file.parent, STATE_FORMAT + 1, "9.1.0")
    assert not names(refused.stderr, "damaged; ")
    assert {path: path.read_bytes() for path in project.models.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("root", ["data", "models"])
def test_a_damaged_format_is_not_taken_for_an_old_one(project: Project, root: str) -> None:
    file = project.folder / root / "format.json"
    sound = file.read_bytes()
    if root == "data":
        damages = [("status", sound[:20]), ("inference", sound.replace(b'"release"', b'"relaase"'))]
        earlier = b'{"format": 2, "release": "0.1.0"}'  # unsealed
    else:
        damages = [("status", sound.replace(str(STATE_FORMAT).encode(), b"2", 1)), ("verify", b"")]
        earlier = None  # of before there were formats
    for pipeline, damaged in damages:
        file.write_bytes(damaged)
        refused = project.here(f"pipeline={pipeline}")
        assert refused.returncode == ExitCode.DATA, (pipeline, damaged)
        assert_names(" ".join(refused.stderr.split()), file)
        assert file.read_bytes() == damaged
    assert project.here("pipeline=verify", "verify.repair=true").returncode == ExitCode.DONE
    assert file.read_bytes() == sound
    file.write_bytes(earlier) if earlier else file.unlink()
    assert project.here("pipeline=inference").returncode == ExitCode.DONE
    assert json.loads(file.read_text())["format"] == STATE_FORMAT


def test_a_model_of_a_newer_release_is_refused_as_such(project: Project) -> None:
    path = project.models / "v0001" / "manifest.json"
    manifest = {name: value for name, value in json.loads(path.read_bytes()).items() if name != "sha256"}
    write_sealed(path, {**manifest, "format": manifest["format"] + 1})
    for pipeline in ("status", "verify"):
        refused = project.here(f"pipeline={pipeline}")
        assert_ended(refused, ExitCode.DATA, "v0001", manifest["format"] + 1)


def test_the_first_run_of_this_release_enters_its_format(state: Callable[[str], Project]) -> None:
    project = state(BEFORE_CODE_VERSIONS)
    assert project.here("pipeline=status", *SMALL).returncode == ExitCode.DONE
    assert not (project.data / "format.json").exists()
    shutil.rmtree(project.inbox)
    (project.inbox).mkdir()
    assert project.here("pipeline=inference", *SMALL).returncode == ExitCode.DONE
    for folder in (project.data, project.models):
        assert json.loads((folder / "format.json").read_text())["format"] == STATE_FORMAT
