"""The log: on the terminal and in the run's own file."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from loguru import logger
from rich.console import Console

from batch_nlp.errors import printable

if TYPE_CHECKING:
    from loguru import Record

# Marks what is said in the background, see `in_the_background`
_BACKGROUND = "background"
_FORMAT = "{time:YYYY-MM-DD HH:mm:ss} | {level: <7} | {extra[printable]}\n{exception}"
# No message is longer than a screen, whatever got into it
_LINE_CHARS = 4000

# The last line of a run's own log
ENDED = "Ended with exit code {:d}"

# Reports and progress share the terminal's error stream with the log: standard output stays free.
console = Console(stderr=True)


def wrapped(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """Return printable text in lines of a width; a path stays whole, so that it can be copied.

    Parameters
    ----------
    first, rest : str
        What the first line, and each other one, begins with.
    """
    lines = textwrap.wrap(
        printable(text, None, " "),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines or [first]


def _format(record: Record) -> str:
    """Return the format of a record, after making its message printable: files can hold what looks like a log."""
    first, *rest = (printable(line, _LINE_CHARS) for line in record["message"].split("\n"))
    indented = (line if line.startswith((" ", "- ")) else f"  {line}" for line in rest)
    record["extra"]["printable"] = "\n".join([first, *indented])
    return _FORMAT


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
    # No values of variables in a traceback (diagnose): they may be the text of messages.
    logger.add(_print, level=level, format=_format, filter=_least("ERROR"), diagnose=False)
    if file is not None:
        logger.add(file, level="DEBUG", format=_format, filter=_least("WARNING"), diagnose=False)


def _print(message: str) -> None:
    """Print a line of the log; writing through the console keeps lines and a progress display apart."""
    quiet, console.quiet = console.quiet, False
    try:
        console.print(message, end="", markup=False, highlight=False, soft_wrap=True)
    finally:
        console.quiet = quiet


def _least(level: str) -> Callable[[Record], bool]:
    """Return a filter that asks for that level of what is said within `in_the_background`."""
    number = logger.level(level).no
    return lambda record: _BACKGROUND not in record["extra"] or record["level"].no >= number


def ending_of(log: Path) -> tuple[int, str] | None:
    """Return the exit code that a run's log ends with, and the last error in it; None while it goes on, or was killed.

    Parameters
    ----------
    log : Path
    """
    said = log.read_text(encoding="utf-8", errors="replace")
    ended = re.search(rf" \| {re.escape(ENDED.partition('{')[0])}(\d+)\n\Z", said)
    errors = re.findall(r" \| ERROR   \| (.*)", said)
    return (int(ended[1]), errors[-1] if errors else "") if ended else None


@contextmanager
def in_the_background() -> Iterator[None]:
    """Keep what is run within from filling the terminal and the log: a simulation does a hundred runs.

    Of its log, the terminal shows errors and the run's file keeps warnings; reports and progress are not shown.
    """
    quiet, console.quiet = console.quiet, True
    try:
        with logger.contextualize(**{_BACKGROUND: True}):
            yield
    finally:
        console.quiet = quiet
