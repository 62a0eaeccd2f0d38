"""Lines of bounded length, and the numbered rows or broken rows made from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

# Maximum size of a line (CSV: a record); a small compressed file can contain a line that fills the memory
LINE_BYTES = 32 * 2**20
# What is kept of a longer line
KEPT_BYTES = 1000
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
INVALID_UTF_8 = "invalid UTF-8"
# How a web page begins that was downloaded instead of a file
PAGES = ("<!doctype", "<html")
# Part of the name of a file with requeued rows, which are UTF-8 whatever the encoding of the source
REQUEUED_PART = "-requeued-"

Row = dict[str, Any]


@dataclass(frozen=True)
class BrokenRow:
    """A line that is not a valid row, with its number in the file, from 1 (CSV: the last line of the record).

    `raw` is the line with undecodable bytes escaped; only the start of a line that is too long.
    """

    line: int
    reason: str
    raw: str


class Numbered(NamedTuple):
    """A row of a file with its line and its approximate size there in bytes."""

    line: int
    row: Row | BrokenRow
    size: int


class Line(NamedTuple):
    """A line of a file, unchanged."""

    number: int
    content: bytes
    # whether it was read to its end
    whole: bool


def read_lines(binary: IO[bytes]) -> Iterator[Line]:
    """Yield the lines of a file; only the start of a line that is too long."""
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
    """Return a line that is too long as a broken row."""
    return BrokenRow(line.number, f"longer than {LINE_BYTES // 2**20} MiB", shown(line.content))


def shown(content: bytes) -> str:
    """Decode as UTF-8, escaping invalid bytes."""
    return content.decode("utf-8", "backslashreplace")
