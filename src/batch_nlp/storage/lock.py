"""The lock of a folder: held by one writer or shared by runs that publish nothing; and which process holds it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from batch_nlp.errors import DataError, LockedError

# A holder takes the lock before it writes its number into the file, so the number is trusted only after these seconds
_SIGNING = 1.0
_KERNEL_LOCKS = Path("/proc/locks")


@contextmanager
def writer_lock(*folders: Path, shared: bool = False, group: str | None = None) -> Iterator[None]:
    """Hold the lock of each folder; missing folders are created.

    The lock is an ``flock``, which the kernel releases when the process ends: a killed run leaves no lock. Other
    processes may share it with `shared`: for runs that write only to places that carry their own name. Processes of one
    `group` wait for each other; any other process is refused at once.

    Raises
    ------
    DataError
        If the file system does not support such locks.
    LockedError
        If another process holds one of the locks.
    """
    with ExitStack() as stack:
        for folder in sorted({folder.resolve() for folder in folders}):
            stack.enter_context(_held(folder, shared, group))
        yield


@contextmanager
def _held(folder: Path, shared: bool, group: str | None) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    asked_at, path = time.monotonic(), folder / ".lock"
    new = not path.exists()
    with path.open("a+") as file:
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
                        f"Another run (process {holder or 'unknown'}) is working in {folder}. Nothing was done. Try "
                        "again later."
                    ) from None
                time.sleep(0.1)
            except OSError as error:
                if new:  # it would look like the trace of an earlier run
                    path.unlink(missing_ok=True)
                raise DataError(
                    f"{folder}: its file system cannot lock a file ({error.strerror}), so two runs could write at the "
                    "same time. Nothing was done. Set paths.data and paths.models to folders on a local disk, or mount "
                    "the share with locks (flock): NFS version 4, or version 3 with rpc.statd running."
                ) from error
        file.truncate(0)
        file.write(f"{os.getpid()} {group or ''}".strip())
        file.flush()
        yield


def lock_holder(folder: Path) -> int | None:
    """Return the process that holds the lock of a folder, or None.

    This neither takes the lock nor waits nor writes: a run that starts while the lock is tried would find it taken. So
    this reads the kernel's list of locks. If there is no such list, or the holder is not in it, the process named in
    the lock file counts, provided that it is alive and has the file open.
    """
    file = folder / ".lock"
    try:
        found, signed = file.stat(), file.read_text().partition(" ")[0].strip()
    except OSError:
        return None
    signer = int(signed) if signed.isdecimal() else None
    device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}"
    # some file systems (btrfs) report one device to programs and another to the kernel
    holders = [
        pid
        for pid, on_device, inode in _kernel_locks()
        if inode == found.st_ino and (on_device == device or pid == signer)
    ]
    if holders:
        return signer if signer in holders else holders[0]
    return signer if signer is not None and _has_open(signer, file) else None


def _kernel_locks() -> list[tuple[int, str, int]]:
    """Return process, device and inode of each ``flock``; source: proc_locks(5)."""
    try:
        lines = _KERNEL_LOCKS.read_text().splitlines()
    except OSError:
        return []
    # 1: FLOCK  ADVISORY  WRITE 4122 fe:00:2850827 0 EOF; waiting processes have an arrow after the number
    rows = [line.split() for line in lines]
    flocks = [(int(row[4]), *row[5].rpartition(":")) for row in rows if row[1:2] == ["FLOCK"]]
    return [(pid, device, int(inode)) for pid, device, _, inode in flocks]


def _has_open(pid: int, file: Path) -> bool:
    """Return whether a process is alive and, as far as visible, has a file open."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # alive; the open files of another user are not visible
    links = Path(f"/proc/{pid}/fd")
    if not links.is_dir():
        return True
    try:
        return any(link.exists() and link.samefile(file) for link in links.iterdir())
    except OSError:
        return True
