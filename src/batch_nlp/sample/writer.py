"""Writes the sample's files: the history's three tables, the next batch, and the labels of the batches so far."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import orjson

from batch_nlp.config import SampleConfig
from batch_nlp.sample import reviews, tables
from batch_nlp.sample.lines import to_lines
from batch_nlp.sample.settings import check
from batch_nlp.sample.world import World

REVIEW_FILE = "yelp_academic_dataset_review.json"
USER_FILE = "yelp_academic_dataset_user.json"
BUSINESS_FILE = "yelp_academic_dataset_business.json"

_BATCH_FILE = "yelp_academic_dataset_review_batch_{:04d}.json"
_BATCH_NUMBER = re.compile(r"_review_batch_(\d+)\.")
# Left in place of labels that were delivered, so that their number is never given again.
_DELIVERED = ".delivered"


def write_history(raw_dir: Path, settings: SampleConfig, progress: Callable[[int], None] | None = None) -> None:
    """Write the three tables of the history.

    Each file appears under its name only when it is complete, the reviews last. `class_mix`, `vocabulary` and
    `length` of the settings are a batch's and do not matter here.

    Parameters
    ----------
    raw_dir : Path
        Folder of the tables; it is made if it does not exist, and tables that it holds are replaced.
    settings : SampleConfig
        How much to write, from which seed, with how many duplicates and broken lines.
    progress : callable, optional
        Called now and then with the number of messages written since the last call.

    Raises
    ------
    SettingsError
        If the settings cannot be satisfied.
    """
    check(settings)
    world = World.of(settings)
    for name, chunks in ((USER_FILE, tables.users(world)), (BUSINESS_FILE, tables.businesses(world))):
        with _whole_file(raw_dir / name) as file:
            for rows in chunks:
                file.write(b"".join([orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows]))
    with _whole_file(raw_dir / REVIEW_FILE) as file:
        for chunk in reviews.history(settings):
            file.write(to_lines(chunk))
            if progress is not None:
                progress(len(chunk.rows))


def write_batch(inbox: Path, pending_dir: Path, settings: SampleConfig, number: int | None = None) -> Path:
    """Write the next messages to classify, and keep their labels back.

    Users and businesses are those of a history with the same `seed` and `messages`.

    Parameters
    ----------
    inbox : Path
        Folder in which new messages arrive.
    pending_dir : Path
        Folder that keeps the labelled rows until `deliver_labels`; it remembers which numbers were given.
    settings : SampleConfig
        How much to write, and how it differs from the history.
    number : int, optional
        Number of the batch, from 1: the day after the history's last one. The next one by default.

    Returns
    -------
    Path
        The file in the inbox.

    Raises
    ------
    SettingsError
        If the settings cannot be satisfied.
    """
    check(settings)
    if number is None:
        number = 1 + max(_numbers(pending_dir), default=0)
    name = _BATCH_FILE.format(number)
    # The labels take the number. Killed between the two, a number is lost; the other way round, ids would come twice.
    for path, columns in ((pending_dir / name, None), (inbox / name, reviews.BATCH_COLUMNS)):
        with _whole_file(path) as file:
            for chunk in reviews.batch(settings, number):
                file.write(to_lines(chunk, columns))
    return inbox / name


def deliver_labels(
    pending_dir: Path,
    raw_dir: Path,
    numbers: Collection[int] | None = None,
    change: Callable[[bytes], bytes] | None = None,
) -> list[Path]:
    """Move the labelled rows of batches to the history.

    Parameters
    ----------
    pending_dir : Path
        Folder that `write_batch` was given.
    raw_dir : Path
        Folder of the history; it may be on another disk.
    numbers : collection of int, optional
        Batches whose labels arrive; those of all batches so far by default.
    change : callable, optional
        Turns each line, with its line end, into what arrives.

    Returns
    -------
    list of Path
        The files delivered now, in the order of their numbers; none when there was nothing to deliver.
    """
    delivered: list[Path] = []
    for pending in sorted(pending_dir.glob("*.json"), key=lambda path: (len(path.name), path.name)):
        if numbers is not None and _number(pending) not in numbers:
            continue
        target = raw_dir / pending.name
        with pending.open("rb") as source, _whole_file(target) as file:
            if change is None:
                shutil.copyfileobj(source, file)
            else:
                file.writelines(map(change, source))
        pending.with_suffix(_DELIVERED).touch()
        pending.unlink()
        delivered.append(target)
    return delivered


def _number(path: Path) -> int | None:
    """Return the number of the batch that a file belongs to."""
    found = _BATCH_NUMBER.search(path.name)
    return int(found[1]) if found else None


def _numbers(pending_dir: Path) -> Iterator[int]:
    if pending_dir.is_dir():
        for path in pending_dir.iterdir():
            if (number := _number(path)) is not None:
                yield number


@contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that appears under its name only when all of it is on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
