"""Finds files that are open for writing, as far as the system shows it: a writer may pause in the middle of a file."""

from __future__ import annotations

import os
import re
from collections.abc import Set as AbstractSet
from pathlib import Path

_PROCESSES = Path("/proc")
_FLAGS = re.compile(r"^flags:\s*([0-7]+)$", re.MULTILINE)


def open_for_writing(files: AbstractSet[Path]) -> set[Path]:
    """Return the resolved paths that a process has open for writing; source: proc_pid_fdinfo(5).

    Processes of other users (except for root), machines and containers are not seen. Without ``/proc``, none are.
    """
    found = set()
    for link in _PROCESSES.glob("[0-9]*/fd/*") if files else ():
        try:
            path = link.readlink()
            flags = _FLAGS.search((link.parents[1] / "fdinfo" / link.name).read_text()) if path in files else None
        except OSError:  # it was closed, or is another user's
            continue
        if flags and int(flags[1], 8) & os.O_ACCMODE:
            found.add(path)
    return found
