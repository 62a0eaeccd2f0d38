"""Runs commands in separate processes and measures time, memory and disk; contenders take turns."""

from __future__ import annotations

import json
import os
import statistics
import subprocess  # nosec B404 # starts this project's own commands, with arguments made here
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Literal

ROOT = Path(__file__).resolve().parents[1]
MIB = 2**20

Kind = Literal["product", "baseline", "limit"]


class BenchmarkError(Exception):
    """A command of a benchmark failed; the message has the command, its exit code and its last lines."""


@dataclass(frozen=True)
class Contender:
    """One way to do the work of a stage."""

    # As in the table
    name: str
    kind: Kind
    # If the last line of its output is a `Done`, that states messages and time; otherwise the whole process counts
    command: tuple[str, ...]
    # Messages of the workload
    messages: int
    # Called before each run, outside of the clock
    prepare: Callable[[], None] | None = None
    # Folder whose growth is counted as bytes on disk
    grows: Path | None = None


@dataclass(frozen=True)
class Row:
    """Time, memory and disk of a contender: medians over the rounds, or the error of the round that failed.

    `seconds` are for `done` messages; if these are fewer than `messages`, the rest would have taken too long.
    `peak_rss_mib` is that of the largest process, including what it needed before the stage.
    """

    workload: str
    messages: int
    stage: str
    contender: str
    kind: Kind
    done: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_rss_mib: float = 0.0
    disk_mib: float | None = None
    rounds: int = 0
    note: str = ""
    error: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """Messages per second; 0 if nothing was measured."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return asdict(self)


def python(*arguments: str) -> tuple[str, ...]:
    """Return the command that runs this Python."""
    return (sys.executable, *arguments)


def run(command: Sequence[str]) -> dict[str, Any]:
    """Run a command and return wall and CPU seconds, peak RSS in MiB, and the `Done` that it printed, if any.

    Raises a `BenchmarkError` if the command fails or is killed, for example because memory runs out.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as log, tempfile.NamedTemporaryFile() as result:
        launch = (sys.executable, "-I", str(ROOT / "benchmarks" / "launch.py"), result.name)
        subprocess.run([*launch, *command], cwd=ROOT, stdout=output, stderr=log, check=True)  # nosec B603 # commands of this package, without a shell
        found: dict[str, Any] = json.load(result)
        if code := found.pop("code"):
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            name = " ".join(part for part in command[1:4] if len(part) < 80)
            raise BenchmarkError(f"{name} {how}: {_last_lines(log) or _last_lines(output)}")
        printed = _last_lines(output, 1)
    return {**found, "done": json.loads(printed) if printed.startswith('{"messages"') else None}


def _last_lines(file: IO[bytes], number: int = 3) -> str:
    file.seek(max(0, file.seek(0, os.SEEK_END) - 100_000))
    return "\n".join(file.read().decode(errors="replace").strip().splitlines()[-number:])


def folder_mib(folder: Path) -> float:
    """Return the size of the files below a folder; links are not followed."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) / MIB


def measure_once(contender: Contender, workload: str, stage: str) -> Row:
    """Measure one run of a contender; a failure is a row with its error."""
    row = Row(workload, contender.messages, stage, contender.name, contender.kind)
    try:
        if contender.prepare is not None:
            contender.prepare()
        before = folder_mib(contender.grows) if contender.grows else 0.0
        found = run(contender.command)
    except (BenchmarkError, OSError, subprocess.CalledProcessError) as error:
        return replace(row, error=str(error))
    printed = found["done"] or {"messages": contender.messages, "spent": found, "note": "", "facts": {}}
    return replace(
        row,
        done=printed["messages"],
        seconds=printed["spent"]["seconds"],
        cpu_seconds=printed["spent"]["cpu_seconds"],
        peak_rss_mib=found["peak_rss_mib"],
        disk_mib=folder_mib(contender.grows) - before if contender.grows else None,
        rounds=1,
        note=printed["note"],
        facts=printed["facts"],
    )


def median_row(rows: Sequence[Row]) -> Row:
    """Return the medians of several runs of one contender; the first that failed, if one did."""
    failed = next((row for row in rows if row.error), None)
    if failed is not None:
        return failed
    names = ("seconds", "cpu_seconds", "peak_rss_mib")
    medians = {name: statistics.median(getattr(row, name) for row in rows) for name in names}
    return replace(rows[-1], **medians, rounds=len(rows))


def in_order(rows: Sequence[Row], stages: Sequence[str]) -> list[Row]:
    """Return rows by the size of their workload, real messages last, and by stage; a removed stage comes last."""

    def place(row: Row) -> tuple[bool, int, int]:
        stage = stages.index(row.stage) if row.stage in stages else len(stages)
        return not row.workload[0].isdigit(), row.messages, stage

    return sorted(rows, key=place)


def measure(contenders: Sequence[Contender], workload: str, stage: str, rounds: int) -> list[Row]:
    """Return a row per contender; they take turns, so that other work on the machine affects all of them alike."""
    found: dict[str, list[Row]] = {contender.name: [] for contender in contenders}
    for _ in range(rounds):
        for contender in contenders:
            if not any(row.error for row in found[contender.name]):
                found[contender.name].append(measure_once(contender, workload, stage))
    return [median_row(rows) for rows in found.values()]
