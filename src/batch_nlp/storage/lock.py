"""One writer at a time, or several runs that publish nothing."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from batch_nlp.errors import LockedError

# Seconds after which what the lock file says of its holder is believed: a lock is taken before its holder signs it
_SIGNING = 1.0


@contextmanager
def writer_lock(*folders: Path, shared: bool = False, group: str | None = None) -> Iterator[None]:
    """Hold the lock of each folder.

    The lock is an ``flock``: the kernel releases it when the process ends, however it ends, so a killed run
    leaves none behind.

    Parameters
    ----------
    *folders : Path
        What to lock; missing folders are made.
    shared : bool
        Whether others may hold the lock as well, as long as they share it too: for runs that write only to places
        that carry their own name.
    group : str, optional
        Holders of one group wait for each other; anyone else is refused at once.

    Raises
    ------
    LockedError
        If another process holds one of them.
    """
    with ExitStack() as stack:
        for folder in sorted({folder.resolve() for folder in folders}):
            stack.enter_context(_held(folder, shared, group))
        yield


@contextmanager
def _held(folder: Path, shared: bool, group: str | None) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    asked_at = time.monotonic()
    with (folder / ".lock").open("a+") as file:
        while True:
            try:
                fcntl.flock(file, operation | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                file.seek(0)
                holder, _, holders_group = file.read().strip().partition(" ")
                signing = time.monotonic() - asked_at < _SIGNING
                if group is None or not (signing or holders_group == group):
                    raise LockedError(
                        f"Another run (process {holder or 'unknown'}) is working in {folder}. Nothing was done; "
                        "try again later."
                    ) from None
                time.sleep(0.1)
        file.truncate(0)
        file.write(f"{os.getpid()} {group or ''}".strip())
        file.flush()
        yield


@contextmanager
def claimed_time(folder: Path) -> Iterator[datetime]:
    """Give a time, UTC, that no other run in progress has: runs that share the lock are named by it.

    The claim is a file below `folder`. Its name is that of a temporary file, so that one that a killed run left is
    swept away by the next run that holds the lock alone.

    Parameters
    ----------
    folder : Path
        Where the claims are; missing folders are made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    while True:
        try:
            _claim(folder, run_name(now)).touch(exist_ok=False)
            break
        except FileExistsError:
            now += timedelta(microseconds=1)
    try:
        yield now
    finally:
        _claim(folder, run_name(now)).unlink(missing_ok=True)


def is_claimed(folder: Path, name: str) -> bool:
    """Say whether a run of that name is in progress that shares the lock (or was killed, until the next sweep)."""
    return _claim(folder, name).exists()


def run_name(now: datetime) -> str:
    """Return the name of the run that began at `now`: the time to the microsecond."""
    return f"{now:%Y%m%dT%H%M%S%fZ}"


def _claim(folder: Path, name: str) -> Path:
    return folder / f".{name}.claim.{0:08x}.tmp"
