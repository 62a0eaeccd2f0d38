"""Puts repaired rows of a quarantine file back into a new raw file."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from itertools import count, islice
from pathlib import Path

import orjson
import pyarrow as pa

from batch_nlp.errors import DataError, SettingsError
from batch_nlp.storage.atomic import replacing, sync_folder, temporary_name
from batch_nlp.storage.parquet import parquet_writer, stream_parquet
from batch_nlp.storage.quarantine import QUARANTINE_SCHEMA, REQUEUED, SOURCE_FILE, SOURCE_LINE, Place
from batch_nlp.storage.raw.formats import rows_of
from batch_nlp.storage.raw.json_reader import parse_json
from batch_nlp.storage.raw.lines import REQUEUED_PART, Row

_EXAMPLES = 5
_ROWS = 1000
_NO_ROW = "the column row holds no JSON object"
# Given rows, returns which are still broken, and why
Check = Callable[[list[Row]], dict[int, str]]


@dataclass
class Requeued:
    """What happened to the rows of one quarantine file, or of a copy: rows read = rows put back + rows that stay.

    `target` is the raw file with the rows, None if none could be put back. `reasons` counts why rows stay, and
    `examples` says where the first of these came from.
    """

    file: Path
    target: Path | None = None
    rows: int = 0
    requeued: int = 0
    stay: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[Place] = field(default_factory=list)


def raw_name(pattern: str, name: str) -> str:
    """Return a file name that matches the pattern of the message table; raise a `SettingsError` if there is none.

    Examples
    --------
    >>> raw_name("*review*", "20260101T000000Z")
    'review-requeued-20260101T000000Z.jsonl'
    """
    before, star, after = pattern.rpartition("*")
    stem = f"{before.replace('*', '')}{REQUEUED_PART}{name}{after}".lstrip("-.")
    if not star or not fnmatch(stem, pattern):
        raise SettingsError(
            f"dataset.messages.files={pattern}: rows cannot be put back, because no other file name matches it. "
            f"Allow more names with dataset.messages.files='{pattern}*'."
        )
    return f"{stem}.jsonl"


def put_back(
    file: Path,
    original: Path,
    folder: Path,
    pattern: str,
    columns: Sequence[str],
    check: Check,
    tell: Callable[[Requeued], None],
) -> Requeued:
    """Put rows of a quarantine file, or of a repaired copy of it, into a new raw file.

    The raw file appears before the quarantine file moves away. After a kill between the two, the same rows are put back
    into the same file, and rows that a run has read meanwhile are recognised as duplicates.

    Parameters
    ----------
    file : Path
        The quarantine file, or a repaired copy in any format of raw files.
    original : Path
        The quarantine file. It moves to the folder ``requeued`` beside it; rows that are not in `file`, or that `check`
        still finds broken, stay.
    folder, pattern
        Where the raw file goes, and the pattern of the message table.
    columns : sequence of str
        Source columns with the text; a message has one of them, also in copies without a column `row`.
    tell : callable
        Called with what will be put back and what stays, before anything changes.

    Raises
    ------
    DataError
        If the file cannot be read, or is not a copy of a quarantine file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for unfinished in folder.glob(".*requeued-*.tmp"):  # of a killed run
        unfinished.unlink()
    found, places = Requeued(file), set[Place]()
    placed = True
    temporary = temporary_name(folder / raw_name(pattern, original.stem))
    try:
        with temporary.open("wb") as out:
            for place, row, reason in _judged(_repaired(file, columns), check):
                found.rows += 1
                if row is not None and reason is None:
                    out.write(orjson.dumps(row, default=str, option=orjson.OPT_NON_STR_KEYS) + b"\n")
                    found.requeued += 1
                    placed = placed and place is not None
                    places |= {place} if place else set()
                    continue
                found.stay += 1
                found.reasons[reason or _NO_ROW] += 1
                if place is not None and len(found.examples) < _EXAMPLES:
                    found.examples.append(place)
            out.flush()
            os.fsync(out.fileno())
        tell(found)
        if found.requeued:
            found.target = _under_free_name(temporary, folder, pattern, original.stem)
            # a file without the places of its rows stands for the whole quarantine file
            if placed or not found.stay:
                _retire(original, places if placed else None)
    finally:
        temporary.unlink(missing_ok=True)
    return found


def _repaired(file: Path, columns: Sequence[str]) -> Iterator[tuple[Place | None, Row | None]]:
    """Yield where each row came from, if known, and the row itself, None if it is not a row."""
    for number, entry, _ in rows_of(file):
        if not isinstance(entry, dict):
            yield Place(file.name, number), None
            continue
        place = None
        if entry.get(SOURCE_FILE) is not None and entry.get(SOURCE_LINE) is not None:
            place = Place(str(entry[SOURCE_FILE]), int(float(entry[SOURCE_LINE])))
        if "row" in entry:
            content = entry["row"]
            row = parse_json(content.encode()) if isinstance(content, str) else content
            yield place, row if isinstance(row, dict) else None
        elif any(name in entry for name in columns):
            own = {name for name in QUARANTINE_SCHEMA.names if name not in columns}
            yield place, {name: value for name, value in entry.items() if name not in own}
        else:
            raise DataError(
                f"{file}: row {number} has neither a column row, as quarantine files have, nor the text of a "
                f"message ({' or '.join(columns)}). Nothing was put back."
            )


def _judged(
    rows: Iterator[tuple[Place | None, Row | None]], check: Check
) -> Iterator[tuple[Place | None, Row | None, str | None]]:
    """Yield each row with the reason why it is still broken, None if it is not."""
    while chunk := list(islice(rows, _ROWS)):
        sound = [(number, row) for number, (_, row) in enumerate(chunk) if row is not None]
        reasons = check([row for _, row in sound]) if sound else {}
        broken = {sound[place][0]: reason for place, reason in reasons.items()}
        yield from ((place, row, broken.get(number)) for number, (place, row) in enumerate(chunk))


def _under_free_name(temporary: Path, folder: Path, pattern: str, name: str) -> Path:
    """Give a file an unused name; an existing file with its content was put back by a killed run."""
    target = _free(temporary, (folder / raw_name(pattern, numbered) for numbered in _numbered(name)))
    if not target.exists():
        os.replace(temporary, target)
        sync_folder(folder)
    return target


def _numbered(name: str) -> Iterator[str]:
    return (name if number == 1 else f"{name}-{number}" for number in count(1))


def _free(file: Path, paths: Iterable[Path]) -> Path:
    """Return the first path that is free, or has a file with the same content."""
    return next(path for path in paths if not path.exists() or filecmp.cmp(file, path, shallow=False))


def _retire(original: Path, done: set[Place] | None) -> None:
    """Move a quarantine file to the folder ``requeued``; rows that are not in `done` stay, with None no rows."""
    kept = original.parent / REQUEUED
    kept.mkdir(exist_ok=True)
    target = _free(original, (kept / f"{numbered}.parquet" for numbered in _numbered(original.stem)))
    if not target.exists():
        with replacing(target) as temporary:
            shutil.copyfile(original, temporary)
    rest = 0
    with replacing(original) as temporary, parquet_writer(temporary, QUARANTINE_SCHEMA) as writer:
        for batch in stream_parquet(original) if done is not None else ():
            places = zip(batch[SOURCE_FILE].to_pylist(), batch[SOURCE_LINE].to_pylist(), strict=True)
            stays = pa.array([Place(*place) not in (done or ()) for place in places], pa.bool_())
            writer.write_batch(batch.filter(stays).cast(QUARANTINE_SCHEMA))
            rest += stays.true_count
    if not rest:
        original.unlink()
        sync_folder(original.parent)
