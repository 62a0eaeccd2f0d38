"""CSV as numbered rows: a broken record does not affect the others."""

from __future__ import annotations

import csv
import re
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Self

from batch_nlp.errors import DataError
from batch_nlp.storage.raw.lines import (
    BYTE_ORDER_MARK,
    INVALID_UTF_8,
    LINE_BYTES,
    PAGES,
    BrokenRow,
    Line,
    Numbered,
    shown,
    too_long,
)
from batch_nlp.storage.raw.separators import find_separator

HEADER_AGAIN = "the header again, as in files that were joined"
# How missing values are written: an empty cell, with or without quotes, or \N in exports of databases
_NOTHING = ("", "\\N")
# Records searched for a header below a title
_AHEAD = 5


class _RecordTooLong(Exception):  # noqa: N818 never leaves this module
    pass


class _RecordLines:
    """Feeds lines to a `csv.reader` and remembers those of the current record."""

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
        """Return the first `lines` lines of the record (default: all); the rest is read again."""
        count = len(self.taken) if lines is None else lines
        done, rest = self.taken[:count], self.taken[count:]
        self._given_back.extendleft(reversed(rest))
        self.taken, self._size = [], 0
        return done


def _csv_records(lines: Iterator[Line], separator: str) -> Iterator[tuple[list[Line], list[str] | str]]:
    """Yield each record's lines with its cells, or with the reason why it is broken.

    An unclosed quote would swallow all lines up to the next quote or the end of the file. So only the line that opens
    the quote counts as broken, and reading continues with the next line.
    """
    source, width = _RecordLines(lines), 0
    # a separator followed by a space, or within a number, is part of a text
    between = re.compile(re.escape(separator.encode()) + rb"(?! |(?<=\d,)\d)")
    while True:
        try:
            for cells in csv.reader(source, delimiter=separator, strict=True):
                width = width if width > 1 else len(cells)
                if len(source.taken) > 1 and _joins_rows(source.taken, between, width):
                    raise csv.Error
                yield source.done(), cells
        except (csv.Error, _RecordTooLong) as error:
            unclosed = len(source.taken) > 1 or "end of data" in str(error)
            reason = "a quote is opened and not closed" if unclosed else str(error) or "too long"
            reason += ": double the quotes within a text" if "expected after" in reason else ""
            done = source.done(1)
            yield done, _repaired(done[0], separator, width) or reason
        else:
            return


def _repaired(line: Line, separator: str, width: int) -> list[str] | None:
    """Return the cells of a line with backslash-escaped quotes (MySQL, Spark) or a carriage return in a text.

    Many programs do not quote tab-separated texts: there, a quote at the start of a text is part of it.
    """
    text = line.content.decode("utf-8", "surrogateescape").rstrip("\r\n").replace("\r", " ")
    try:
        cells = next(csv.reader([text.replace('\\"', '""')], delimiter=separator, strict=True), [])
    except csv.Error:
        cells = text.split(separator)
        if separator != "\t" or any(cell.count('"') % 2 for cell in cells):  # an unclosed quote is damage
            return None
    return cells if line.whole and cells and len(cells) == width else None


def _joins_rows(taken: list[Line], between: re.Pattern[bytes], width: int) -> bool:
    """Say whether an unclosed quote was closed by a quote of another row."""
    # an odd number of quotes: another cell's opening quote closed it
    if sum(line.content.count(b'"') for line in taken) % 2:
        return True
    # an even number, but every line has all cells: two quotes were left open
    return width > 1 and all(len(between.findall(line.content)) == width - 1 for line in taken)


def read_csv(file: Path, lines: Iterator[Line], separator: str | None) -> tuple[list[str], Iterator[Numbered]]:
    """Return the header of a CSV file and its rows; raise a `DataError` if the header is invalid.

    Unnamed columns get the names that pandas gives them. Rows in which they are empty do not contain them. Without a
    separator, that of the first line (``sep=;``) is used, else it is detected.
    """
    csv.field_size_limit(sys.maxsize)
    separator, lines = find_separator(file, _without_mark(lines), separator)
    records = _csv_records(lines, separator)
    for _, cells in records:
        if any(cells):
            header = _header(file, cells)
            ahead = list(islice(records, _AHEAD))
            if header[1:] == [_nameless(at) for at in range(1, len(header))] and len(header) > 2:
                _refuse_title(file, header, ahead)
            return header, _rows(header, cells, chain(ahead, records))
    return [], iter(())


def _rows(
    header: list[str], written: list[str] | str, records: Iterator[tuple[list[Line], list[str] | str]]
) -> Iterator[Numbered]:
    nameless = {name for position, name in enumerate(header) if name == _nameless(position)}
    for taken, cells in records:
        if not cells:
            continue
        number, size = taken[-1].number, sum(len(line.content) for line in taken)
        reason = None
        if not taken[0].whole:
            yield Numbered(number, too_long(taken[0]), size)
            continue
        if isinstance(cells, str):
            reason = f"broken CSV: {cells}"
        elif len(cells) != len(header) and len(cells := _fitted(cells, header)) != len(header):
            reason = f"{len(cells)} cells where the header has {len(header)}"
        elif cells == written:
            reason = HEADER_AGAIN
        elif any("\udc80" <= char <= "\udcff" for cell in cells if not cell.isascii() for char in cell):
            reason = INVALID_UTF_8
        if reason or isinstance(cells, str):
            raw = shown(b"".join(line.content for line in taken).rstrip(b"\r\n"))
            yield Numbered(number, BrokenRow(number, str(reason), raw), size)
            continue
        row = {key: None if cell in _NOTHING else cell for key, cell in zip(header, cells, strict=True)}
        if nameless:
            row = {key: cell for key, cell in row.items() if cell or key not in nameless}
        yield Numbered(number, row, size)


def _nameless(position: int) -> str:
    return f"Unnamed: {position}"


def _fitted(cells: list[str], header: list[str]) -> list[str]:
    """Drop empty cells beyond the header; add empty cells for missing unnamed columns at the end."""
    while len(cells) > len(header) and not cells[-1]:
        cells = cells[:-1]
    lacking = range(len(cells), len(header))
    return [*cells, *("" for _ in lacking)] if all(header[at] == _nameless(at) for at in lacking) else cells


def _without_mark(lines: Iterator[Line]) -> Iterator[Line]:
    """Strip byte order marks before parsing: they hide quotes, and concatenated files contain several."""
    for line in lines:
        marked = line.content.startswith(BYTE_ORDER_MARK)
        yield line._replace(content=line.content.removeprefix(BYTE_ORDER_MARK)) if marked else line


def _header(file: Path, cells: list[str] | str) -> list[str]:
    if isinstance(cells, str):
        raise DataError(f"{file}: cannot be read (header: {cells}). Replace the file by a complete one.")
    header = [name.strip() or _nameless(position) for position, name in enumerate(cells)]
    if "\0" in header[0]:
        raise DataError(f"{file}: cannot be read: the content is binary. Replace the file by a text file.")
    if header[0].lower().startswith(PAGES):
        raise DataError(f"{file}: cannot be read: it is a web page. Download the file itself, logged in if necessary.")
    if header[0].startswith(("{", "[{")):
        raise DataError(
            f"{file}: cannot be read: the content seems to be JSON. Rename the file to end in .jsonl or .json."
        )
    if len(set(header)) < len(header):
        first, second = next(
            (header.index(name), position) for position, name in enumerate(header) if header.index(name) < position
        )
        raise DataError(
            f"{file}: cannot be read: cells {first + 1} and {second + 1} of the first line are equal. If the line is "
            "a header, give each column its own name. If it is data, add a header line."
        )
    return header


def _refuse_title(file: Path, header: list[str], ahead: Sequence[tuple[list[Line], list[str] | str]]) -> None:
    """Refuse a first line with a single filled cell above complete rows: a title from a spreadsheet."""
    if any(len(cells) == len(header) and all(cells) for _, cells in ahead if not isinstance(cells, str)):
        raise DataError(
            f"{file}: cannot be read: all but the first of the {len(header)} cells of the first line are empty. If the "
            "line is a title, remove everything above the header. If it is the header, name each column."
        )
