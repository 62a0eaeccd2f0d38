"""What is wrong with something on disk, what to do about it, and how `pipeline=verify` repairs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
from deltalake.exceptions import DeltaError

from batch_nlp.errors import DataError

if TYPE_CHECKING:
    from batch_nlp.storage.orphans import Orphans

# What reading a damaged or foreign file can raise
UNREADABLE = (
    *(DataError, OSError, ValueError, KeyError, TypeError, AttributeError),
    *(pa.ArrowException, DeltaError, duckdb.Error),
)


class Severity(StrEnum):
    """Whether a person must act."""

    ERROR = "error"
    # results are right: the problem only takes up space, or the next run solves it
    WARNING = "warning"


# Repairs a problem without losing anything of value, and returns what was done
Repair = Callable[["Orphans"], str]


@dataclass(frozen=True)
class Problem:
    """Something on disk that is not as it should be.

    `what` says what is wrong, without a full stop, and `action` what to do about it, in sentences. `repair` is what
    ``verify.repair=true`` does about it. A run at work causes a `transient` problem for a moment.
    """

    path: Path
    what: str
    action: str
    severity: Severity = Severity.ERROR
    repair: Repair | None = None
    transient: bool = False

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
