"""Input and output of a measured function, which runs in a separate process (`benchmarks.child`)."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Task:
    """The input of a measured function."""

    # Settings of the command line, for functions of this project
    settings: list[str]
    # Files of labelled messages, and of messages to classify: JSON lines in the columns of the Yelp Open Dataset
    labelled: list[str]
    messages: list[str]
    # Files of the side tables
    users: str | None
    businesses: str | None
    # Existing folder for output
    output: str
    # Number of messages to work on if all would take too long
    at_most: int | None = None

    def to_json(self) -> str:
        """Return the task as an argument of a command."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Task:
        """Return the task of `to_json`."""
        return cls(**json.loads(text))


@dataclass
class Spent:
    """Seconds of wall clock, and of CPU in all threads of the process."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass(frozen=True)
class Done:
    """The output of a measured function."""

    # Messages that it worked on
    messages: int
    # Time of the part that counts
    spent: Spent
    # Remark for readers of the table
    note: str = ""
    # More figures, kept in the results
    facts: dict[str, Any] = field(default_factory=dict)


def number_of_lines(files: Iterable[str]) -> int:
    """Return the number of lines in files; those that end in ``.gz`` are decompressed."""
    total = 0
    for file in files:
        with gzip.open(file) if file.endswith(".gz") else Path(file).open("rb") as lines:
            total += sum(1 for _ in lines)
    return total


@contextmanager
def clock(spent: Spent | None = None) -> Iterator[Spent]:
    """Add the time of the block to `spent`."""
    spent = Spent() if spent is None else spent
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield spent
    finally:
        spent.seconds += time.perf_counter() - wall
        spent.cpu_seconds += time.process_time() - cpu
