"""What is wrong with something on disk, what to do about it, and how `pipeline=verify` mends it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import duckdb
import pyarrow as pa
from deltalake.exceptions import DeltaError

from batch_nlp.errors import DataError
from batch_nlp.storage.atomic import sync_folder

# What reading a damaged or foreign file can raise
UNREADABLE = (
    *(DataError, OSError, ValueError, KeyError, TypeError, AttributeError),
    *(pa.ArrowException, DeltaError, duckdb.Error),
)


class Severity(StrEnum):
    """Whether a person must act."""

    ERROR = "error"
    # results are right: the problem only takes room, or the next run solves it
    WARNING = "warning"


class Orphans:
    """The folder for what belongs to nothing: it may still be all that is left of something, so it is not deleted.

    Parameters
    ----------
    root : Path
        ``paths.data``.
    run : str
        Name of the run that puts things aside.
    """

    def __init__(self, root: Path, run: str) -> None:
        self._root, self._folder = root, root / "09_inference" / "orphans" / run

    def take(self, path: Path) -> str:
        """Move a file or folder here, keeping its path below the root, and return what was done."""
        target = self._folder / path.relative_to(self._root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
        sync_folder(target.parent)
        sync_folder(path.parent)
        return f"moved to {target}"


# Mends a problem without losing anything of value, and returns what was done
Mend = Callable[[Orphans], str]


@dataclass(frozen=True)
class Problem:
    """Something on disk that is not as it should be.

    Parameters
    ----------
    path : Path
    what : str
        What is wrong, without a full stop.
    action : str
        What to do about it, in sentences.
    severity : Severity
    mend : callable, optional
        What ``verify.repair=true`` does about it.
    passing : bool
        Whether a run at work causes it for a moment.
    """

    path: Path
    what: str
    action: str
    severity: Severity = Severity.ERROR
    mend: Mend | None = None
    passing: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.what}. {self.action}"


class DamageError(DataError):
    """A file is missing, or is not what was written."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def problems_of(*checks: Callable[[], object]) -> list[Problem]:
    """Return the problems that checks raise as a `DamageError`."""
    found = []
    for check in checks:
        try:
            check()
        except DamageError as error:
            found.append(error.problem)
    return found
