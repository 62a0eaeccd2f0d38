"""Configured folders that are missing, through the real command line: no run mistakes this for a first run."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.naming import assert_ended
from tests.projects import Project

from batch_nlp.errors import ExitCode


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("name", ["data", "models"])
def test_an_unmounted_disk_is_not_mistaken_for_a_first_run(project: Project, name: str, exists: bool) -> None:
    folder, disk = project.folder / name, project.folder / "disk"
    folder.rename(disk)
    if exists:  # what is left where a disk was mounted, with the log that a scheduler has opened there
        (folder / "08_reporting" / "logs").mkdir(parents=True)
    for pipeline in ("inference", "feature", "fti", "status", "verify") if exists else ("inference", "status"):
        result = project.here(f"pipeline={pipeline}")
        assert_ended(result, ExitCode.DATA, f"paths.{name}={project.shown(folder)}")
    assert not list(folder.rglob("*.prom"))
    assert not list(folder.rglob(".l*"))
    if folder.exists():
        subprocess.run(["rm", "-r", str(folder)], check=True)
    disk.rename(folder)
    assert project.here("pipeline=inference").returncode == ExitCode.DONE


def test_a_new_registry_beside_old_data_takes_one_command(project: Project) -> None:
    settings = ("pipeline=inference", f"paths.models={project.folder}/new models")
    result = project.here(*settings)
    assert result.returncode == ExitCode.DATA
    [command] = {*re.findall(r"mkdir -p .*\.lock'?", result.stderr)}
    subprocess.run(["sh", "-c", command], check=True, cwd=project.folder)
    assert shlex.split(command)[-1] == "new models/.lock"
    assert project.here(*settings).returncode == ExitCode.DONE


def test_nothing_is_scored_where_nothing_was_ever_trained(
    tmp_path: Path, new_project: Callable[[Path], Project]
) -> None:
    project = new_project(tmp_path / "project")
    result = project.here("pipeline=inference")
    assert_ended(result, ExitCode.DATA, "paths.data", "pipeline=fti")
    assert not list(project.data.rglob("*.prom"))


def test_a_marker_tells_an_empty_disk_from_a_missing_one(project: Project) -> None:
    inbox = project.folder / "share"
    inbox.mkdir()
    settings = ("pipeline=inference", f"inference.inbox={inbox}", "paths.marker=.mounted")
    for folder in (project.data, project.models, inbox):
        result = project.here(*settings)
        assert_ended(result, ExitCode.DATA, f"={project.shown(folder)}", ".mounted", "paths.marker")
        (folder / ".mounted").touch()
    assert project.here(*settings).returncode == ExitCode.DONE
