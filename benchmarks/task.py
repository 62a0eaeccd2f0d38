"""Input and output of a measured function, which runs in a process of its own (`benchmarks.child`)."""

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
    """The input of a measured function.

    Parameters
    ----------
    settings : list of str
        Settings of the command line, for functions of this project.
    labelled : list of str
        Files of messages with their label, JSON lines in the columns of the Yelp Open Dataset.
    messages : list of str
        Files of messages to classify.
    users, businesses : str or None
        Files of the side tables.
    output : str
        Folder for what is written; it exists.
    at_most : int or None
        Work on the first so many messages, where all of them would take too long; None takes all.
    """

    settings: list[str]
    labelled: list[str]
    messages: list[str]
    users: str | None
    businesses: str | None
    output: str
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
    """The output of a measured function.

    Parameters
    ----------
    messages : int
        Messages that it worked on.
    spent : Spent
        In the part that counts.
    note : str
        Remark for readers of the table.
    facts : dict
        More figures, kept in the results.
    """

    messages: int
    spent: Spent
    note: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def number_of_lines(files: Iterable[str]) -> int:
    """Return how many lines files have, those with the ending ``.gz`` decompressed."""
    total = 0
    for file in files:
        with gzip.open(file) if file.endswith(".gz") else Path(file).open("rb") as lines:
            total += sum(1 for _ in lines)
    return total


@contextmanager
def clock(spent: Spent | None = None) -> Iterator[Spent]:
    """Add the time of the block; what is outside of all blocks is not counted."""
    spent = Spent() if spent is None else spent
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield spent
    finally:
        spent.seconds += time.perf_counter() - wall
        spent.cpu_seconds += time.process_time() - cpu
