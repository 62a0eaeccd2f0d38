"""What stands between the cells of a CSV: found in its first lines, or said by the first of them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from batch_nlp.errors import DataError
from batch_nlp.storage.raw.lines import Line

# Of those that fit a file equally well, the first is its separator
SEPARATORS = (",", ";", "\t", "|")
# The first line of a file that Excel is to open; other programs put the separators of empty cells behind it
_SEPARATOR_LINE = re.compile(rb'"?sep=(.)"?[,;\t|]*\s*', re.IGNORECASE)
# What could be a separator of several characters
_LONG_SEPARATOR = re.compile(r"""[^\w\s\x00"'.()\[\]-]{2,}""")
# Between the cells of a table of one column, and the share of lines without a comma that makes one
_NONE, _ALONE = "\x1f", 0.1
# How much of a file its separator is told by
_HEAD_LINES, _HEAD_BYTES = 50, 2**20


def find_separator(file: Path, lines: Iterator[Line], given: str | None) -> tuple[str, Iterator[Line]]:
    """Return the separator of cells, and the lines that hold cells.

    Parameters
    ----------
    file : Path
        For messages.
    lines : iterator of Line
    given : str, optional
        The separator, where it is known.

    Raises
    ------
    DataError
        If it seems to be longer than a character.
    """
    head: list[Line] = []
    size = 0
    for line in lines:
        if not head and (found := _SEPARATOR_LINE.fullmatch(line.content)):
            return given or found[1].decode("latin-1"), lines
        if head or line.content.strip():  # an empty line may be a part of a cell
            head.append(line)
        size += len(line.content)
        if len(head) == _HEAD_LINES or size > _HEAD_BYTES or given:
            break
    texts = [line.content.decode("utf-8", "replace") for line in head]
    candidates = [separator for separator in SEPARATORS if texts and separator in texts[0]]
    candidates = candidates or [_NONE if _is_one_column(texts) else ","]
    best = candidates[0] if len(candidates) == 1 else max(candidates, key=lambda separator: _fit(texts, separator))
    if not given and (long := _long_separator(texts, best)):
        raise DataError(
            f"{file}: cannot be read: {long!r} seems to stand between its cells. A separator is one character: write "
            "the file with one, such as a tab, and quotes around the texts that hold it."
        )
    return given or best, chain(head, lines)


def _long_separator(texts: Sequence[str], separator: str) -> str | None:
    """Return what stands between all cells of the first lines, if it is longer than a character.

    A known separator several times is read: the columns between have no name and no values.
    """
    runs = _LONG_SEPARATOR.findall(texts[0]) if texts else []
    if len({*runs}) != 1 or {*runs[0]} == {separator} or (runs[0].startswith(separator) and runs[0] != runs[0][::-1]):
        return None
    run: str = runs[0]
    all_cells = texts[0].count(separator) == len(runs) * run.count(separator)
    return run if all_cells and all(text.count(run) == len(runs) for text in texts if text.strip()) else None


def _is_one_column(texts: Sequence[str]) -> bool:
    """Say whether lines behind a header without a separator are texts, of which some have commas and some have none."""
    try:
        cells = [sum(map(bool, row)) for row in csv.reader(texts[1:]) if row]
    except csv.Error:
        return False
    return _ALONE * len(cells) <= cells.count(1) < len(cells)


def _fit(texts: Sequence[str], separator: str) -> tuple[float, int]:
    """Return how well a separator fits: the share of rows with as many cells as the header, and their number."""
    try:
        header, *records = filter(None, csv.reader(texts, delimiter=separator))
    except csv.Error:
        return 0, 0
    if len(header) == 1:
        return 0, 0
    return sum(len(cells) == len(header) for cells in records) / max(len(records), 1), len(header)
