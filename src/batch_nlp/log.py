"""Logs for a person, and progress for one who watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from loguru import logger
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

_FORMAT = "{time:YYYY-MM-DD HH:mm:ss} | {level: <7} | {message}"

# Reports and progress share the terminal's error stream with the log: standard output stays free.
console = Console(stderr=True)


def set_up_logging(level: str, file: Path | None) -> None:
    """Log to the terminal and, when given, to the run's own file.

    Parameters
    ----------
    level : str
        Least level shown on the terminal; the file takes ``DEBUG`` and up.
    file : Path or None
        Where the run keeps its log.
    """
    logger.remove()
    # Writing through the console keeps lines and a progress display apart.
    # No values of variables in a traceback (diagnose): they may be the text of messages.
    logger.add(
        lambda message: console.print(message, end="", markup=False, highlight=False, soft_wrap=True),
        level=level,
        format=_FORMAT,
        diagnose=False,
    )
    if file is not None:
        logger.add(file, level="DEBUG", format=_FORMAT, diagnose=False)


@contextmanager
def progress(description: str, unit: str = "messages") -> Iterator[Callable[[int], None]]:
    """Show on a terminal how many of something are done; in cron, show nothing.

    Yields
    ------
    callable
        Takes the number that was done since the last call.
    """
    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TextColumn(unit))
    with Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True, disable=not sys.stderr.isatty()
    ) as display:
        task = display.add_task(description, total=None)
        yield lambda done: display.advance(task, done)
