from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from batch_nlp.errors import ExitCode, LockedError
from batch_nlp.storage.lock import writer_lock

HOLD = """
import sys
from pathlib import Path
from batch_nlp.storage.lock import writer_lock
with writer_lock(*map(Path, sys.argv[1:])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_process_holding(*folders: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, *map(str, folders)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_a_second_process_is_refused_and_told_who_works_there(tmp_path: Path) -> None:
    with other_process_holding(tmp_path) as holder:
        told = rf"process {holder.pid}\) is working in .*{tmp_path.name}"
        with pytest.raises(LockedError, match=told) as refused, writer_lock(tmp_path):
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


def test_two_runs_that_share_one_of_their_folders_exclude_each_other(tmp_path: Path) -> None:
    with other_process_holding(tmp_path / "a", tmp_path / "shared"):
        with pytest.raises(LockedError, match="shared"), writer_lock(tmp_path / "b", tmp_path / "shared"):
            pytest.fail("two writers")
        # what was locked on the way is let go
        with writer_lock(tmp_path / "b"):
            pass


def test_the_same_folder_given_twice_does_not_lock_itself_out(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with writer_lock(tmp_path, tmp_path / "x" / "..", tmp_path / "link"):
        pass
