"""Detect the separator of a CSV: a usual one in its first lines, or an unusual one for which there is a setting."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from batch_nlp.errors import DataError
from batch_nlp.storage.raw.lines import Line, Row

# If several fit equally well, the first one is used
SEPARATORS = (",", ";", "\t", "|")
# A first line that tells Excel the separator; other programs append the separators of empty cells
_SEPARATOR_LINE = re.compile(rb'"?sep=(.)"?[,;\t|]*\s*', re.IGNORECASE)
# Unusual separators: characters that hardly occur in known names, in any names, in texts
_BETWEEN_KNOWN = re.compile(r"[^\w\s\"'.-]|[\x00-\x1f]")
_BETWEEN_NAMES = re.compile(r"""[^\w\s"'().,/&-]|[\x00-\x08\x0e-\x1f]""")
_BETWEEN_TEXTS = re.compile(r"""[^\w\s"'.,:;!?()/&-]|[\x00-\x08\x0e-\x1f]""")
# A possible separator of several characters
_LONG_SEPARATOR = re.compile(r"""[^\w\s\x00"'.()\[\]-]{2,}""")
# Separator of a table with one column; share of lines without a comma that indicates such a table
_NONE, _ALONE = "\x1f", 0.1
# How much of a file is inspected
_HEAD_LINES, _HEAD_BYTES = 50, 2**20


def find_separator(file: Path, lines: Iterator[Line], given: str | None) -> tuple[str, Iterator[Line]]:
    """Return the separator, the given one if there is one, and the lines with cells.

    Raises a `DataError` if the separator seems to be longer than one character.
    """
    head: list[Line] = []
    size = 0
    for line in lines:
        if not head and (found := _SEPARATOR_LINE.fullmatch(line.content)):
            return given or found[1].decode("latin-1"), lines
        if head or line.content.strip():  # an empty line may be part of a cell
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
            f"{file}: cannot be read: the separator seems to be {long!r}, but must be one character. Write the file "
            "with a separator such as a tab, and quote the texts that contain it."
        )
    return given or best, chain(head, lines)


def _long_separator(texts: Sequence[str], separator: str) -> str | None:
    """Return the separator of the first lines if it is longer than one character.

    A repeated known separator is readable: it encloses empty columns without a name.
    """
    runs = _LONG_SEPARATOR.findall(texts[0]) if texts else []
    if len({*runs}) != 1 or {*runs[0]} == {separator} or (runs[0].startswith(separator) and runs[0] != runs[0][::-1]):
        return None
    run: str = runs[0]
    all_cells = texts[0].count(separator) == len(runs) * run.count(separator)
    return run if all_cells and all(text.count(run) == len(runs) for text in texts if text.strip()) else None


def _is_one_column(texts: Sequence[str]) -> bool:
    """Say whether the lines below a header without separator are texts, only some of which contain commas."""
    try:
        cells = [sum(map(bool, row)) for row in csv.reader(texts[1:]) if row]
    except csv.Error:
        return False
    return _ALONE * len(cells) <= cells.count(1) < len(cells)


def _fit(texts: Sequence[str], separator: str) -> tuple[float, int]:
    """Return how well a separator fits: the share of rows as long as the header, and the header's length."""
    try:
        header, *records = filter(None, csv.reader(texts, delimiter=separator))
    except csv.Error:
        return 0, 0
    if len(header) == 1:
        return 0, 0
    return sum(len(cells) == len(header) for cells in records) / max(len(records), 1), len(header)


def other_separator(names: Collection[str], known: Iterable[str]) -> str | None:
    """Return the likely separator of a file that was read as a single column; None for any other file."""
    only = str(next(iter(names))) if len(names) == 1 else ""
    return separator_of_known(names, known) or next((one for one in SEPARATORS if one in only), None)


def separator_of_known(names: Collection[str], known: Iterable[str]) -> str | None:
    """Return the character that separates known names within a file's only column name, if there is one."""
    [name, *others] = map(str, names or {""})
    wanted = set() if others else set(known)
    separators = dict.fromkeys(_BETWEEN_KNOWN.findall(name))
    return next((one for one in separators if len(wanted.intersection(map(str.strip, name.split(one)))) > 1), None)


def repeated_mark(rows: Sequence[Row]) -> str | None:
    """Return the character that occurs in nearly every row of a single column as often as in its name, if any."""
    names = set().union(*rows)
    name = str(next(iter(names), "")) if len(names) == 1 else ""
    for mark, count in Counter(_BETWEEN_NAMES.findall(name)).most_common(1):
        if sum(str(row.get(name)).count(mark) == count for row in rows) >= 0.9 * len(rows):
            return str(mark)
    return None


def frequent_mark(line: str) -> str | None:
    """Return the most frequent possible separator in a line of texts, if there is one."""
    return next((str(mark) for mark, _ in Counter(_BETWEEN_TEXTS.findall(line)).most_common(1)), None)
