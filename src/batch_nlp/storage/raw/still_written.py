"""Wait for files that are still being written: a file is read once it has not changed for a while."""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from pathlib import Path

from loguru import logger

from batch_nlp.errors import DataError, printable
from batch_nlp.storage.raw.file_names import kind_of, packing_of, source_name
from batch_nlp.storage.raw.formats import CSV
from batch_nlp.storage.raw.opening import open_raw

# Longest wait for files that have just arrived, in seconds
_PATIENCE = 5.0
# Seconds that a CSV without a final line end must not have changed, since its last cell may be incomplete; bytes of a
# line end
_BROKEN_OFF, _TAIL_BYTES = 30.0, 4
_PROCESSES = Path("/proc")
_FLAGS = re.compile(r"^flags:\s*([0-7]+)$", re.MULTILINE)


def age_of(file: Path) -> float:
    """Return the seconds since a file was changed; infinite if its time lies in the future (a wrong clock)."""
    try:
        age = time.time() - file.stat().st_mtime
    except OSError:  # reported when it is read
        return math.inf
    return age if age >= 0 else math.inf


def required_rest(file: Path, age: float, min_age: float) -> float:
    """Return for how many seconds a file must not have changed before it is read, at least `min_age`.

    `age` is the number of seconds since its last change.
    """
    if age >= _BROKEN_OFF or kind_of(file) not in CSV or packing_of(file.name):
        return min_age
    try:
        with open_raw(file) as opened:
            opened.seek(max(0, file.stat().st_size - _TAIL_BYTES))
            whole = opened.read().rstrip(b"\0")[-1:] in (b"", b"\n", b"\r")
    except (OSError, DataError):  # reported when it is read
        return min_age
    return min_age if whole else max(min_age, _BROKEN_OFF)


def wait_until_written(files: Iterable[Path], min_age: float) -> list[Path]:
    """Wait a few seconds for recent files, and return those that are still too recent."""
    fresh, wait, why = list[Path](), 0.0, ""
    for file in files:
        age = age_of(file)
        rest = required_rest(file, age, min_age)
        fresh += [file] if age < rest else []
        if wait < rest - age <= (_PATIENCE if rest == min_age else _BROKEN_OFF):
            wait, why = rest - age, "has just arrived" if rest == min_age else "ends within a line"
            shown = printable(source_name(file))
    if wait:
        logger.info("Waiting {:.1f} s: {} {} and may be incomplete", wait, shown, why)
        time.sleep(wait)
    return [file for file in fresh if (age := age_of(file)) < required_rest(file, age, min_age)]


def open_for_writing(files: AbstractSet[Path]) -> set[Path]:
    """Return the resolved paths that a process has open for writing: a writer may pause in the middle of a file.

    Processes of other users (except for root), machines and containers are not seen. Without ``/proc``, none are.
    Source: proc_pid_fdinfo(5).
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


def log_still_written(file: Path) -> None:
    """Log that a file is left for the next run."""
    logger.warning("{} is still being written: it is left for the next run", file)
