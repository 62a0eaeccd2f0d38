"""The screen of `pipeline=status`, 80 columns wide."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from rich.console import Console
from rich.text import Text

from batch_nlp.errors import printable
from batch_nlp.log import wrapped
from batch_nlp.monitoring.findings import Status

_NAME, _WIDTH = 12, 80
_COLOURS = {Status.OK.value: "green", Status.DRIFT.value: "red", Status.INSUFFICIENT.value: "yellow"}
_UNKNOWN = "-"
_HEADER = f"{'when':<13}{'batch':<27}{'messages':>8}  {'verdict':<14}{'followed by':<16}"


@dataclass(frozen=True)
class RecentBatch:
    """One line of the table of batches."""

    # Time of the verdict, UTC
    at: datetime
    name: str | None
    # Messages read
    messages: int | None
    verdict: str
    action: str


@dataclass(frozen=True)
class SystemStatus:
    """The content of the screen."""

    dataset: str
    # UTC, like all times on the screen
    at: datetime
    # Name and value of each fact, in words
    facts: list[tuple[str, str]] = field(default_factory=list)
    # Oldest first
    recent: list[RecentBatch] = field(default_factory=list)
    # Each says what is wrong and what to do
    problems: list[str] = field(default_factory=list)


def show_status(status: SystemStatus, console: Console | None = None) -> None:
    """Print the state of the system.

    Parameters
    ----------
    status : SystemStatus
    console : Console, optional
        Standard output by default.
    """
    console = console or Console()
    for line in status_lines(status):
        console.print(line, soft_wrap=True)


def status_lines(status: SystemStatus) -> list[Text]:
    """Return the lines of the screen, 80 columns wide."""
    lines = [Text(f"batch-nlp, dataset {status.dataset}, {status.at:%Y-%m-%d %H:%M} UTC", style="bold"), Text()]
    for name, value in status.facts:
        first, *rest = wrapped(value, _WIDTH - _NAME)
        lines.append(Text.assemble((f"{name:<{_NAME}}", "cyan"), first))
        lines += [Text(" " * _NAME + more) for more in rest]
    if status.recent:
        lines += [Text(), Text(_HEADER, style="cyan")]
    for batch in status.recent:
        messages = _UNKNOWN if batch.messages is None else f"{batch.messages:,}"
        lines.append(
            Text.assemble(
                f"{batch.at:%m-%d %H:%M}  {printable(batch.name or _UNKNOWN)[:26]:<27}{messages:>8}  ",
                (f"{printable(batch.verdict)[:13]:<14}", _COLOURS.get(batch.verdict, "")),
                printable(batch.action)[:16],
            )
        )
    for problem in status.problems:
        lines.append(Text())
        lines += [Text(line, style="red") for line in wrapped(problem, _WIDTH, "! ")]
    return lines
