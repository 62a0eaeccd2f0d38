from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.naming import refusal

from batch_nlp.errors import DataError, ExitCode, LockedError
from batch_nlp.storage.lock import writer_lock

HOLD = """
import json, sys
from pathlib import Path
from batch_nlp.storage.lock import writer_lock
with writer_lock(*map(Path, sys.argv[2:]), **json.loads(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_process_holding(*folders: Path, **how: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, json.dumps(how), *map(str, folders)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_a_second_process_is_refused_and_told_who_works_there(tmp_path: Path) -> None:
    with other_process_holding(tmp_path) as holder:
        with refusal(LockedError, holder.pid, tmp_path.name) as refused, writer_lock(tmp_path):
            pytest.fail("two writers")
        assert refused.value.exit_code is ExitCode.LOCKED


def test_a_killed_process_leaves_no_lock_behind(tmp_path: Path) -> None:
    with other_process_holding(tmp_path) as holder:
        holder.kill()
        holder.wait()
        with writer_lock(tmp_path):
            pass


def test_the_lock_is_free_again_after_a_failure(tmp_path: Path) -> None:
    def fail() -> None:
        with writer_lock(tmp_path):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with writer_lock(tmp_path):
        pass


@pytest.mark.parametrize("code", [errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS])
def test_a_file_system_without_locks_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(file: object, operation: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with refusal(DataError, tmp_path, os.strerror(code)), writer_lock(tmp_path):
        pytest.fail("a writer without a lock")
    assert not list(tmp_path.iterdir())  # what looks like the trace of a run
    (tmp_path / ".lock").touch()
    with pytest.raises(DataError), writer_lock(tmp_path):
        pytest.fail("a writer without a lock")
    assert (tmp_path / ".lock").exists()


def test_two_runs_that_share_one_of_their_folders_exclude_each_other(tmp_path: Path) -> None:
    with other_process_holding(tmp_path / "a", tmp_path / "shared"):
        with refusal(LockedError, "shared"), writer_lock(tmp_path / "b", tmp_path / "shared"):
            pytest.fail("two writers")
        # what was locked on the way is let go
        with writer_lock(tmp_path / "b"):
            pass


def test_the_same_folder_given_twice_does_not_lock_itself_out(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with writer_lock(tmp_path, tmp_path / "x" / "..", tmp_path / "link"):
        pass


def test_runs_that_share_the_lock_work_side_by_side_and_keep_others_out(tmp_path: Path) -> None:
    with other_process_holding(tmp_path, shared=True):
        with writer_lock(tmp_path, shared=True):
            pass
        with pytest.raises(LockedError), writer_lock(tmp_path):
            pytest.fail("a writer beside readers")
    with other_process_holding(tmp_path), pytest.raises(LockedError), writer_lock(tmp_path, shared=True):
        pytest.fail("a reader beside a writer")


def test_runs_of_one_group_wait_for_each_other(tmp_path: Path) -> None:
    with other_process_holding(tmp_path, group="my sweep") as holder:
        with refusal(LockedError, holder.pid), writer_lock(tmp_path, group="another"):
            pytest.fail("two writers")
        threading.Timer(0.3, holder.kill).start()
        with writer_lock(tmp_path, group="my sweep"):
            assert holder.wait(10) < 0, "it came to its turn when the other was gone"
