"""CSV as numbered rows: what is wrong with one record takes no other with it."""

from __future__ import annotations

import csv
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from batch_nlp.errors import DataError
from batch_nlp.storage.raw_lines import BYTE_ORDER_MARK, LINE_BYTES, BrokenRow, Line, Numbered, shown, too_long


class _RecordTooLong(Exception):  # noqa: N818 not an error of the program; it never leaves this module
    pass


class _RecordLines:
    """Hands lines to a `csv.reader`, and remembers those of the record that is being read."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._given_back: deque[Line] = deque()
        self._size = 0
        self.taken: list[Line] = []

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._given_back.popleft() if self._given_back else next(self._lines)
        self.taken.append(line)
        self._size += len(line.content)
        if not line.whole or (self._size > LINE_BYTES and len(self.taken) > 1):
            raise _RecordTooLong
        return line.content.decode("utf-8", "surrogateescape")

    def done(self, lines: int | None = None) -> list[Line]:
        """Return the first lines of the record (all of them without a number); the others are read again."""
        count = len(self.taken) if lines is None else lines
        done, rest = self.taken[:count], self.taken[count:]
        self._given_back.extendleft(reversed(rest))
        self.taken, self._size = [], 0
        return done


def _csv_records(lines: Iterator[Line]) -> Iterator[tuple[list[Line], list[str] | str]]:
    """Yield each record's lines, and its cells or the reason why it is none.

    A quote that is opened and not closed would swallow the lines up to the next quote, or all that follow. So the
    line that opens it is given up alone, and reading goes on with the next one.
    """
    source = _RecordLines(lines)
    while True:
        try:
            for cells in csv.reader(source, strict=True):
                # what closes a quote that was left open is the opening quote of another cell: then one is left over
                if len(source.taken) > 1 and sum(line.content.count(b'"') for line in source.taken) % 2:
                    raise csv.Error
                yield source.done(), cells
        except (csv.Error, _RecordTooLong) as error:
            unclosed = len(source.taken) > 1 or "end of data" in str(error)
            yield source.done(1), "a quote is opened and not closed" if unclosed else str(error) or "too long"
        else:
            return


def csv_rows(file: Path, lines: Iterator[Line]) -> Iterator[Numbered]:
    """Yield the rows of a CSV file.

    Parameters
    ----------
    file : Path
        For messages.
    lines : iterator of Line
        Its content.

    Raises
    ------
    DataError
        If its header is none.
    """
    csv.field_size_limit(sys.maxsize)
    header: list[str] | None = None
    for taken, cells in _csv_records(_without_mark(lines)):
        if not cells:
            continue
        if header is None:
            header = _header(file, cells)
            continue
        number, size = taken[-1].number, sum(len(line.content) for line in taken)
        reason = None
        if not taken[0].whole:
            yield Numbered(number, too_long(taken[0]), size)
            continue
        if isinstance(cells, str):
            reason = f"broken CSV: {cells}"
        elif len(cells) != len(header):
            reason = f"{len(cells)} cells where the header has {len(header)}"
        elif any("\udc80" <= char <= "\udcff" for cell in cells if not cell.isascii() for char in cell):
            reason = "invalid UTF-8"
        if reason or isinstance(cells, str):
            raw = shown(b"".join(line.content for line in taken).rstrip(b"\r\n"))
            yield Numbered(number, BrokenRow(number, str(reason), raw), size)
        else:
            # an empty cell is how CSV writes "nothing", and many programs put quotes around every cell
            yield Numbered(number, {key: cell or None for key, cell in zip(header, cells, strict=True)}, size)


def _without_mark(lines: Iterator[Line]) -> Iterator[Line]:
    """Take the byte-order mark away before the cells are told apart: it would hide the quote of the first one."""
    for line in lines:
        yield line._replace(content=line.content.removeprefix(BYTE_ORDER_MARK)) if line.number == 1 else line


def _header(file: Path, cells: list[str] | str) -> list[str]:
    if isinstance(cells, str):
        raise DataError(f"{file}: cannot be read (its header: {cells}). Put a whole file in its place.")
    header = [name.strip() for name in cells]
    if len(set(header)) < len(header):
        raise DataError(f"{file}: the header names a column twice: {', '.join(header)}")
    return header
