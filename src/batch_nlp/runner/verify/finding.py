"""What verification finds, and how what belongs to nothing is put aside."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from deltalake.exceptions import DeltaError

from batch_nlp.errors import DataError
from batch_nlp.runner.context import RunContext
from batch_nlp.storage.atomic import sync_folder
from batch_nlp.storage.sealed_files import remove_sealed

# What reading a file that is damaged, or is none of ours, can end with
UNREADABLE = (DataError, OSError, ValueError, KeyError, TypeError, pa.ArrowException, DeltaError, duckdb.Error)
# Mends something without losing anything of value, and returns what was done
Repair = Callable[[], str]


class Severity(StrEnum):
    """Whether a person must act."""

    ERROR = "error"
    # nothing is wrong with results, or the next run mends it
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be, what a person can do about it, and what ``verify.repair=true`` does.

    `passing` says whether a run at work leaves its like behind for a moment.
    """

    path: Path
    problem: str
    action: str
    severity: Severity
    repair: Repair | None
    passing: bool

    def facts(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "path": str(self.path),
            "problem": self.problem,
            "action": self.action,
            "severity": self.severity.value,
            "repairable": self.repair is not None,
        }


@dataclass
class Part:
    """A part of the state, what was looked at (for the screen, with counts), and what was found in it."""

    name: str
    checked: str = ""
    findings: list[Finding] = field(default_factory=list)

    def error(
        self, path: Path, problem: str, action: str, repair: Repair | None = None, *, passing: bool = False
    ) -> None:
        """Enter something that a person must see to."""
        self.findings.append(Finding(path, problem, action, Severity.ERROR, repair, passing))

    def warn(
        self, path: Path, problem: str, action: str, repair: Repair | None = None, *, passing: bool = False
    ) -> None:
        """Enter something that does no harm to results."""
        self.findings.append(Finding(path, problem, action, Severity.WARNING, repair, passing))

    @property
    def errors(self) -> list[Finding]:
        """What a person must see to."""
        return [found for found in self.findings if found.severity is Severity.ERROR]


def file_and_problem(sentence: str, folder: Path) -> tuple[Path, str]:
    """Take apart what the storage says of a file, ``PATH: what is wrong``; a sentence without a path is the folder's.

    Examples
    --------
    >>> file_and_problem("data/seal.json: missing. Restore it.", Path("data"))
    (PosixPath('data/seal.json'), 'missing. Restore it.')
    """
    path, colon, problem = sentence.partition(": ")
    return (Path(path), problem) if colon and Path(path).is_relative_to(folder) else (folder, sentence)


def set_aside(run: RunContext, path: Path) -> str:
    """Move a file or folder of the data root to the run's folder of orphans, and return what was done.

    It goes below the path that it had. Nothing is deleted: what belongs to nothing may still be all that is left of
    something.
    """
    target = run.layers.root / "09_inference" / "orphans" / run.name / path.relative_to(run.layers.root)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, target)
    sync_folder(target.parent)
    sync_folder(path.parent)
    remove_sealed([path])  # of which only the entry is left
    return f"moved to {target}"
