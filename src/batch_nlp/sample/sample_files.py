"""Writes the sample's files: the history, the next batch, and the labels of the batches so far."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from batch_nlp.config import SampleConfig
from batch_nlp.sample.generators import source_of

# Left in place of labels that were delivered, so that their number is never given again.
_DELIVERED = ".delivered"


def write_history(
    raw_dir: Path, settings: SampleConfig, progress: Callable[[int], None] | None = None, source: str | None = "yelp"
) -> None:
    """Write the history, all tables of a source; raise a `SettingsError` if the settings cannot be satisfied.

    Each file appears under its name only when it is complete, the messages last. `class_mix`, `vocabulary` and
    `length` of the settings are a batch's and do not matter here.

    Parameters
    ----------
    raw_dir : Path
        Folder of the tables; it is made if it does not exist, and tables that it holds are replaced.
    settings : SampleConfig
        How much to write, from which seed, with how many duplicates and broken lines.
    progress : callable, optional
        Called now and then with the number of messages written since the last call.
    source : str
        In whose format: ``dataset.sample``.
    """
    generator = source_of(source)
    generator.check(settings)
    for name, parts in generator.history(settings):
        with _whole_file(raw_dir / name) as file:
            for content, messages in parts:
                file.write(content)
                if progress is not None and messages:
                    progress(messages)


def write_batch(
    inbox: Path,
    pending_dir: Path,
    settings: SampleConfig,
    number: int | None = None,
    source: str | None = "yelp",
) -> Path:
    """Write the next messages to classify to a file, and keep their labels back; it fails as `write_history` does.

    Parameters
    ----------
    inbox : Path
        Folder in which new messages arrive.
    pending_dir : Path
        Folder that keeps the labelled rows until `deliver_labels`; it remembers which numbers were given.
    settings : SampleConfig
        How much to write, and how it differs from the history. What the messages join is that of a history with the
        same `seed` and `messages`.
    number : int, optional
        Number of the batch, from 1: the day after the history's last one. The next one by default.
    source : str
        In whose format: ``dataset.sample``.
    """
    generator = source_of(source)
    generator.check(settings)
    if number is None:
        number = 1 + max((given for given, _ in _batches(pending_dir, generator.batch_file)), default=0)
    name = generator.batch_file.format(number)
    # The labels take the number. Killed between the two, a number is lost; the other way round, ids would come twice.
    for path, labelled in ((pending_dir / name, True), (inbox / name, False)):
        with _whole_file(path) as file:
            file.writelines(generator.batch(settings, number, labelled))
    return inbox / name


def deliver_labels(
    pending_dir: Path,
    raw_dir: Path,
    numbers: Collection[int] | None = None,
    change: Callable[[bytes], bytes] | None = None,
    source: str | None = "yelp",
) -> list[Path]:
    """Move the labelled rows of batches to the history, and return the files delivered, in the order of their numbers.

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
    source : str
        In whose format: ``dataset.sample``.
    """
    delivered: list[Path] = []
    name = source_of(source).batch_file
    for number, pending in sorted(_batches(pending_dir, name)):
        if pending.name != name.format(number) or (numbers is not None and number not in numbers):
            continue
        target = raw_dir / pending.name
        with pending.open("rb") as labelled, _whole_file(target) as file:
            if change is None:
                shutil.copyfileobj(labelled, file)
            else:
                file.writelines(map(change, labelled))
        pending.with_suffix(_DELIVERED).touch()
        pending.unlink()
        delivered.append(target)
    return delivered


def _batches(pending_dir: Path, batch_file: str) -> Iterator[tuple[int, Path]]:
    """Yield number and file of each batch of a source: its labelled rows, or the mark that they were delivered."""
    start = batch_file.partition("{")[0]
    for path in pending_dir.glob(f"{start}*"):
        if found := re.match(r"\d+(?=\.)", path.name.removeprefix(start)):
            yield int(found[0]), path


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
