"""Who holds a lock, for one who only looks: nothing here takes it, waits for it or writes."""

from __future__ import annotations

import os
from pathlib import Path

_KERNEL_LOCKS = Path("/proc/locks")


def who_works(folder: Path) -> int | None:
    """Return the process that holds the lock of a folder; None where nobody does.

    To try the lock would be to hold it for a moment, and a run that starts just then would end as if another one were
    at work. So the kernel's list of locks is read. Where there is none, and for a holder that the list does not show,
    the process that signed the lock file counts if it is alive and has the file open.

    Parameters
    ----------
    folder : Path
        The data folder or the registry.
    """
    file = folder / ".lock"
    try:
        found, signed = file.stat(), file.read_text().partition(" ")[0].strip()
    except OSError:
        return None
    signer = int(signed) if signed.isdecimal() else None
    device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}"
    # some file systems (btrfs) show another device to programs than to the kernel
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
    # 1: FLOCK  ADVISORY  WRITE 4122 fe:00:2850827 0 EOF; one that waits has an arrow after the number
    rows = [line.split() for line in lines]
    flocks = [(int(row[4]), *row[5].rpartition(":")) for row in rows if row[1:2] == ["FLOCK"]]
    return [(pid, device, int(inode)) for pid, device, _, inode in flocks]


def _has_open(pid: int, file: Path) -> bool:
    """Say whether a process is alive and, where that can be seen, has a file open."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # alive, of another user, whose files are not shown
    links = Path(f"/proc/{pid}/fd")
    if not links.is_dir():
        return True
    try:
        return any(link.exists() and link.samefile(file) for link in links.iterdir())
    except OSError:
        return True
