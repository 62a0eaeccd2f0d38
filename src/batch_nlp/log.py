"""The log: on the terminal and in the run's own file."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from loguru import logger
from rich.console import Console

from batch_nlp.errors import printable

if TYPE_CHECKING:
    from loguru import Record

# Marks log records of background work, see `in_the_background`
_BACKGROUND = "background"
_FORMAT = "{time:YYYY-MM-DD HH:mm:ss} | {level: <7} | {extra[printable]}\n{exception}"
# Longer lines of a message are cut
_LINE_CHARS = 4000

# The last line of a run's own log
ENDED = "Ended with exit code {:d}"

# Reports and progress share the error stream with the log; standard output stays free
console = Console(stderr=True)


def wrapped(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """Return printable text in lines of a width, which begin with `first` and `rest`; a path stays on one line."""
    return textwrap.wrap(
        printable(relative(text), None, " "),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first]


def table_lines(rows: Sequence[Sequence[str]], width: int = 78) -> list[str]:
    """Return the lines of a table whose first column is right-aligned.

    If rows are wider than `width`, each last cell gets a line of its own, so that it can be copied.
    """
    first, *widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    starts = [
        "  ".join([f"{row[0]:>{first}}", *(f"{cell:<{size}}" for cell, size in zip(row[1:-1], widths, strict=True))])
        for row in rows
    ]
    fits = max(len(start) + 2 + len(row[-1]) for start, row in zip(starts, rows, strict=True)) <= width
    between = "  " if fits else "\n" + " " * (first + 2)
    lines = (f"{start if fits else start.rstrip()}{between}{row[-1]}" for start, row in zip(starts, rows, strict=True))
    return "\n".join(lines).split("\n")


def relative(text: str) -> str:
    """Return text with paths below the current folder relative to it; commands with such paths work as they are.

    In the root folder and the home folder paths stay absolute: jobs of a scheduler run there.
    """
    try:
        folder = Path.cwd()
    except FileNotFoundError:  # somebody has removed it
        return text
    if folder in (Path("/"), Path(os.environ.get("HOME", "/"))):
        return text
    return re.sub(rf"(?<![\w.~/:-]){re.escape(str(folder))}/(?=[^\s/])", "", text)


def _format(record: Record) -> str:
    """Return the format of a record with its message made printable: text from files could imitate a log line."""
    first, *rest = (printable(line, _LINE_CHARS) for line in record["message"].split("\n"))
    indented = (line if line.startswith((" ", "- ")) else f"  {line}" for line in rest)
    record["extra"]["printable"] = "\n".join([first, *indented])
    return _FORMAT


def set_up_logging(level: str, file: Path | None) -> None:
    """Log from a level on to the terminal and, from ``DEBUG`` on, to the run's own file if one is given."""
    logger.remove()
    # Tracebacks without the values of variables (diagnose), which may be texts of messages
    logger.add(_print, level=level, format=_format, filter=_least("ERROR"), diagnose=False)
    if file is not None:
        logger.add(file, level="DEBUG", format=_format, filter=_least("WARNING"), diagnose=False)


def _print(message: str) -> None:
    """Print a line of the log through the console, which keeps it apart from a progress bar."""
    quiet, console.quiet = console.quiet, False
    try:
        console.print(relative(message), end="", markup=False, highlight=False, soft_wrap=True)
    finally:
        console.quiet = quiet


def _least(level: str) -> Callable[[Record], bool]:
    """Return a filter that lets records of background work pass only from that level on."""
    number = logger.level(level).no
    return lambda record: _BACKGROUND not in record["extra"] or record["level"].no >= number


def ending_of(log: Path) -> tuple[int, str] | None:
    """Return the exit code at the end of a run's log, and its last error; None if the run still works or was killed."""
    said = log.read_text(encoding="utf-8", errors="replace")
    ended = re.search(rf" \| {re.escape(ENDED.partition('{')[0])}(\d+)\n\Z", said)
    errors = re.findall(r" \| ERROR   \| (.*)", said)
    return (int(ended[1]), errors[-1] if errors else "") if ended else None


@contextmanager
def in_the_background() -> Iterator[None]:
    """Keep the runs within from filling the terminal and the log: a simulation has a hundred runs.

    The terminal shows only their errors, the run's file keeps only their warnings, and reports and progress are hidden.
    """
    quiet, console.quiet = console.quiet, True
    try:
        with logger.contextualize(**{_BACKGROUND: True}):
            yield
    finally:
        console.quiet = quiet
