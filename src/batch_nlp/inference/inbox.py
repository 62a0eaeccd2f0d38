"""What has come into the inbox: files of messages that are new, those still being written, and those set aside."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from loguru import logger

from batch_nlp.config import DatasetConfig
from batch_nlp.dataset.columns import is_message_file, text_form
from batch_nlp.storage.raw import find_files
from batch_nlp.storage.raw_names import table_name
from batch_nlp.storage.raw_readable import SetAside, set_aside, sorted_out, unusable
from batch_nlp.storage.registry import file_hash


@dataclass(frozen=True)
class Arrivals:
    """What is in the inbox and in no batch.

    Parameters
    ----------
    files : dict of str to str
        Name in the inbox, below it for a part of a table -> SHA-256 of the content.
    set_aside : list of SetAside
        Files that cannot be used.
    """

    files: dict[str, str]
    set_aside: list[SetAside]


def arrivals(inbox: Path, dataset: DatasetConfig, processed: Mapping[str, str], min_age: float) -> Arrivals:
    """Return the files of messages in the inbox whose content no batch has.

    Every file with a known ending counts as messages, but for those that match the pattern of a side table. Files
    that are being written, or changed less than `min_age` seconds ago, are left for the next run.

    Parameters
    ----------
    inbox : Path
    dataset : DatasetConfig
    processed : mapping of str to str
        SHA-256 of contents -> the batch that has them.
    min_age : float
        Seconds.
    """
    files, refused = sorted_out(inbox_files(inbox, dataset), inbox, dataset.follow_links)
    found, seen = Arrivals({}, refused), dict(processed)
    for file in files:
        try:
            before = file.stat()
            digest = file_hash(file)
            after = file.stat()
        except OSError as error:
            found.set_aside.append(set_aside(file, error))
            continue
        # a time in the future is a wrong clock's, and would stay one
        fresh = 0 <= time.time() - after.st_mtime < min_age
        if fresh or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            logger.warning("{} is still being written: it is left for the next run", file)
        elif digest in seen:
            logger.debug("{} was scored before, in {}", file.name, seen[digest])
        elif problem := unusable(file, text_form(dataset.messages)):
            found.set_aside.append(problem)
        else:
            found.files[file.relative_to(inbox).as_posix()] = digest
            seen[digest] = "this batch"
    return found


def inbox_files(inbox: Path, dataset: DatasetConfig) -> list[Path]:
    """Return the files of the inbox that hold messages."""
    side_tables = [table.files for table in dataset.side_tables]
    return [
        file
        for file in find_files(inbox, "*")
        if is_message_file(name := table_name(file, inbox), dataset)
        or not any(fnmatch(name, pattern + ".*") for pattern in side_tables)
    ]
