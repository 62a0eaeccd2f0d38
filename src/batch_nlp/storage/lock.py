"""One writer at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from batch_nlp.errors import LockedError


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise LockedError(
                f"Another run (process {holder}) is working in {folder}. Nothing was done; try again later."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def writer_lock(*folders: Path) -> Iterator[None]:
    """Hold the writer's lock of each folder.

    The lock is an ``flock``: the kernel releases it when the process ends, however it ends, so a killed run
    leaves none behind.

    Raises
    ------
    LockedError
        If another process holds one of them.
    """
    with ExitStack() as stack:
        for folder in sorted({folder.resolve() for folder in folders}):
            stack.enter_context(_exclusive(folder))
        yield
