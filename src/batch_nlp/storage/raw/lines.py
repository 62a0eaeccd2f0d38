"""What raw files are read as: lines of a bounded length, and rows or broken rows with their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

# A line (in CSV: a record) beyond this is no message; a small compressed file can hold one that fills any memory
LINE_BYTES = 32 * 2**20
# What is kept of such a line
KEPT_BYTES = 1000
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
INVALID_UTF_8 = "invalid UTF-8"
# How what a website answers instead of a file begins
PAGES = ("<!doctype", "<html")
# In the name of a file with rows from quarantine, which are in UTF-8 whatever the source's files are
REQUEUED_PART = "-requeued-"

Row = dict[str, Any]


@dataclass(frozen=True)
class BrokenRow:
    """A line that is no row.

    Parameters
    ----------
    line : int
        Line in the file, from 1 (for CSV the last line of the record).
    reason : str
        What is wrong with it.
    raw : str
        The line itself, with undecodable bytes escaped; of one that is too long only the start.
    """

    line: int
    reason: str
    raw: str


class Numbered(NamedTuple):
    """A row of a file, the line that it came from, and about how many bytes it took there."""

    line: int
    row: Row | BrokenRow
    size: int


class Line(NamedTuple):
    """A line of a file as it is there."""

    number: int
    content: bytes
    # whether it was read to its end
    whole: bool


def read_lines(binary: IO[bytes]) -> Iterator[Line]:
    """Yield the lines of a file; of one that is too long the start, and the rest is passed over."""
    number = 0
    while content := binary.readline(LINE_BYTES):
        number += 1
        if len(content) < LINE_BYTES or content.endswith(b"\n"):
            yield Line(number, content, True)
            continue
        yield Line(number, content[:KEPT_BYTES], False)
        while (rest := binary.readline(2**20)) and not rest.endswith(b"\n"):
            pass


def too_long(line: Line) -> BrokenRow:
    """Return what is said of a line that was not read to its end."""
    return BrokenRow(line.number, f"longer than {LINE_BYTES // 2**20} MiB", shown(line.content))


def shown(content: bytes) -> str:
    """Return bytes as text, with those escaped that are none."""
    return content.decode("utf-8", "backslashreplace")
