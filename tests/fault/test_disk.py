"""Guarantee 1 with a faulty disk: full, limited, or read-only."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fault.forks import Forks
from tests.fault.mounts import mounted
from tests.fault.state import SMALL, State, left_over, read_state
from tests.projects import Project

RETRAINING = ("pipeline=inference", "drift.high=0.34")


def _told(err: str) -> str:
    """Return what a user reads, after checking that it shows no inside of the program."""
    assert "Traceback" not in err, err
    return err


def _read_copy(project: Project, folder: Path) -> State:
    """Read what lies in another name space: the reader of the feature store follows the link that leads there."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(project.folder, folder, symlinks=True)
    return read_state(Project(folder))


def test_a_full_disk_ends_the_run_and_more_room_lets_the_next_one_finish(
    small_project: Project, forks: Forks, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """A disk of its own, with less and less room left."""
    ended = []
    (tmp_path / "disk").mkdir()
    before = read_state(small_project)
    with mounted(tmp_path / "disk", 'mount -t tmpfs -o size=64m tmpfs "$1"') as process:
        disk = Path(f"/proc/{process}/root{tmp_path}/disk")
        for room in (0, 60, 250):
            shutil.copytree(small_project.folder, disk / "project", symlinks=True)
            project, there = Project(disk / "project"), Project(tmp_path / "disk" / "project")
            filler = disk / "filler"
            free = shutil.disk_usage(disk).free
            with filler.open("wb") as file:
                file.write(bytes(max(0, free - 1024 * room)))
            result = forks.start(there, *SMALL, *RETRAINING, folder=tmp_path, quick_check=True, inside=process).wait()
            ended.append(result.code)
            if result.code:
                assert result.code == 3, result.err
                assert "No space left on device" in _told(result.err)
            state = _read_copy(project, tmp_path / "seen")
            assert before.features.items() <= state.features.items()
            assert before.predicted.items() <= state.predicted.items()
            filler.unlink()
            after = forks.start(there, *SMALL, *RETRAINING, folder=tmp_path, quick_check=True, inside=process).wait()
            assert after.code in {0, 5}, after.err
            assert len(_read_copy(project, tmp_path / "seen").accounts) == len(before.accounts) + 1
            assert left_over(project) == []
            shutil.rmtree(project.folder)
    assert ended.count(3) >= 2, "the disk was not full"
    figure(f"full disk: {ended.count(3)} of {len(ended)} runs ended by it, exit 3; each next run finished the batch")


@pytest.mark.parametrize("pipeline", ["feature", "training", "inference"])
def test_no_file_can_grow_beyond_a_limit(
    pipeline: str, copy: Callable[[str], Project], forks: Forks, figure: Callable[[str], None]
) -> None:
    """A quota, as every system can set one: writing fails at other places than on a full disk."""
    project = copy("project")
    # what the run prints goes to a file too, and must not reach the limit
    arguments = (*SMALL, f"pipeline={pipeline}", "training.force=true", "drift.response=none", "log_level=ERROR")
    before, codes = read_state(project), []
    for size in (2_500, 20_000):
        result = forks.run(project, *arguments, quick_check=True, largest_file=size)
        codes.append(result.code)
        assert result.code in {0, 3}, result.err
        if result.code:
            assert "File too large" in _told(result.err)
        read_state(project)
    assert 3 in codes
    after = forks.run(project, *arguments, quick_check=True)
    assert after.code == 0, after.err
    state = read_state(project)
    assert before.features.items() <= state.features.items()
    assert left_over(project) == []
    figure(f"{pipeline}: {codes.count(3)} of {len(codes)} runs ended by a limit on the size of files")


@pytest.mark.parametrize("part", ["data", "data/04_feature/sample"])
def test_a_read_only_folder_is_named_and_nothing_changes(
    part: str, copy: Callable[[str], Project], forks: Forks
) -> None:
    project = copy("project")
    before = read_state(project)
    folder = project.folder / part
    with mounted(folder, 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"') as process:
        result = forks.run(project, *SMALL, *RETRAINING, quick_check=True, inside=process)
    assert result.code == 3, result.err
    assert "Read-only file system" in _told(result.err)
    assert project.shown(folder) in result.err
    state = read_state(project)
    assert (state.features, state.accounts) == (before.features, before.accounts)
    after = forks.run(project, *SMALL, *RETRAINING, quick_check=True)
    assert after.code in {0, 5}, after.err
    assert len(read_state(project).accounts) == len(before.accounts) + 1
