from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from tests.unit.storage.test_lock import other_process_holding

from batch_nlp.storage import lock
from batch_nlp.storage.lock import lock_holder


@pytest.fixture(params=["the kernel's list", "no list"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the kernel's list of locks, as on Linux, and without it, as on macOS."""
    if request.param == "no list":
        monkeypatch.setattr(lock, "_KERNEL_LOCKS", tmp_path / "none")


def test_who_works_is_seen_without_taking_the_lock(kernel: None, tmp_path: Path) -> None:
    assert lock_holder(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    with other_process_holding(tmp_path) as holder:
        content = (tmp_path / ".lock").read_bytes()
        assert lock_holder(tmp_path) == holder.pid
        assert (tmp_path / ".lock").read_bytes() == content
        holder.kill()
        holder.wait()
        assert lock_holder(tmp_path) is None, "what a killed run left in the file is no lock"
    # the number of the killed one may belong to someone else by now
    (tmp_path / ".lock").write_text(str(os.getpid()))
    assert lock_holder(tmp_path) is None


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="this system has no list of locks")
def test_a_holder_that_has_not_signed_yet_is_seen(tmp_path: Path) -> None:
    with (tmp_path / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert lock_holder(tmp_path) == os.getpid()
