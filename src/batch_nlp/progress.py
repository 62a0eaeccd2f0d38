"""Progress of long work: a bar with the time left on a terminal, a line of the log per minute elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from loguru import logger
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from batch_nlp.log import console

_LINE_SECONDS = 60.0
# The display that all work of the process shares: a terminal can show only one
_displays: list[Progress] = []


@contextmanager
def progress(description: str, unit: str = "messages", total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show the progress of long work: on a terminal as a bar, elsewhere as one line of the log per minute.

    Yields a function that takes the number of units done since its last call. Without a total, exact or rough, no time
    left is shown.
    """
    if console.quiet:
        yield no_progress
        return
    with _display() as display:
        task = display.add_task(description, total=total, unit=unit)
        try:
            yield lambda done: display.advance(task, done)
        finally:
            display.remove_task(task)


def no_progress(_: int) -> None:
    """Show nothing."""


@contextmanager
def _display() -> Iterator[Progress]:
    """Yield the display of the process, which work within other work shares."""
    if _displays:
        yield _displays[0]
        return
    watched, ended = sys.stderr.isatty(), Event()
    bar = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), TaskProgressColumn())
    counts = (TextColumn("{task.completed:,.0f} {task.fields[unit]}"), TimeElapsedColumn(), TimeRemainingColumn())
    display = Progress(*bar, *counts, console=console, transient=True, disable=not watched)
    _displays.append(display)
    try:
        with display:
            if not watched:
                Thread(target=_log_progress, args=(display, ended), name="progress", daemon=True).start()
            yield display
    finally:
        ended.set()
        _displays.clear()


def _log_progress(display: Progress, ended: Event) -> None:
    """Log a line per minute for each piece of work until all have ended."""
    while not ended.wait(_LINE_SECONDS):
        for task in display.tasks:
            done, total, seconds = task.completed, task.total, task.elapsed or 0.0
            line = f"{task.description}: {done:,.0f} {task.fields['unit']} in {age(seconds)}"
            if total and done:
                line += f", {min(done / total, 1):.0%}, about {age(seconds * max(total / done - 1, 0))} left"
            logger.info("{}", line)


def age(seconds: float) -> str:
    """Return a readable span of time.

    Examples
    --------
    >>> age(20), age(3.7 * 3600), age(9 * 86400)
    ('20 s', '3 h', '9 days')
    """
    whole = max(int(seconds), 0)
    for limit, length, unit in ((120, 1, "s"), (7200, 60, "min"), (2 * 86400, 3600, "h")):
        if whole < limit:
            return f"{whole // length} {unit}"
    return f"{whole // 86400:,} days"
