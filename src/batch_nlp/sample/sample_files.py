"""Write the files of a sample: the history, the next batch, and the labels of past batches."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from batch_nlp.config import SampleConfig
from batch_nlp.sample.generators import check_sample, source_of
from batch_nlp.storage.atomic import replacing

# Marks delivered labels, so that their batch number is not used again
_DELIVERED = ".delivered"


def write_history(
    raw_dir: Path, settings: SampleConfig, progress: Callable[[int], None] | None = None, source: str | None = "yelp"
) -> None:
    """Write the history, all tables of a source; raise a `SettingsError` for invalid settings.

    Each file appears only when complete, messages last. The settings `class_mix`, `vocabulary` and `length` only
    apply to batches.

    Parameters
    ----------
    raw_dir : Path
        Folder of the tables; created if missing. Existing tables are replaced.
    settings : SampleConfig
        Amount, seed, and shares of duplicates and broken lines.
    progress : callable, optional
        Called with the number of messages written since the last call.
    source : str
        ``dataset.sample``
    """
    generator = check_sample(settings, source)
    for name, parts in generator.history(settings):
        with replacing(raw_dir / name) as temporary, temporary.open("wb") as file:
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
    """Write a file of messages to classify, and hold back their labels; raises as `write_history` does.

    The messages join the side tables of a history with the same settings `seed` and `messages`.

    Parameters
    ----------
    inbox : Path
        Folder in which new messages arrive.
    pending_dir : Path
        Folder of the labelled rows until `deliver_labels`; also records the numbers used.
    number : int, optional
        Number of the batch, from 1, in days after the history. The next number by default.
    """
    generator = check_sample(settings, source)
    if number is None:
        number = 1 + max((given for given, _ in _batches(pending_dir, generator.batch_file)), default=0)
    name = generator.batch_file.format(number)
    # Labels first: a kill in between wastes a number, while the other order could repeat ids
    for path, labelled in ((pending_dir / name, True), (inbox / name, False)):
        with replacing(path) as temporary, temporary.open("wb") as file:
            file.writelines(generator.batch(settings, number, labelled))
    return inbox / name


def deliver_labels(
    pending_dir: Path,
    raw_dir: Path,
    numbers: Collection[int] | None = None,
    change: Callable[[bytes], bytes] | None = None,
    source: str | None = "yelp",
) -> list[Path]:
    """Move the labelled rows of batches to the history, and return the new files in order of their numbers.

    Parameters
    ----------
    pending_dir, raw_dir : Path
        As given to `write_batch` and `write_history`; they may be on different disks.
    numbers : collection of int, optional
        Batches whose labels to deliver; all by default.
    change : callable, optional
        Changes each line, including its line end.
    """
    delivered: list[Path] = []
    name = source_of(source).batch_file
    for number, pending in sorted(_batches(pending_dir, name)):
        if pending.name != name.format(number) or (numbers is not None and number not in numbers):
            continue
        target = raw_dir / pending.name
        with pending.open("rb") as labelled, replacing(target) as temporary, temporary.open("wb") as file:
            if change is None:
                shutil.copyfileobj(labelled, file)
            else:
                file.writelines(map(change, labelled))
        pending.with_suffix(_DELIVERED).touch()
        pending.unlink()
        delivered.append(target)
    return delivered


def _batches(pending_dir: Path, batch_file: str) -> Iterator[tuple[int, Path]]:
    """Yield number and file of each batch: its labelled rows, or the marker of their delivery."""
    start = batch_file.partition("{")[0]
    for path in pending_dir.glob(f"{start}*"):
        if found := re.match(r"\d+(?=\.)", path.name.removeprefix(start)):
            yield int(found[0]), path
