"""What has come into the inbox: files of messages that are new, those still being written, and those set aside."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from loguru import logger

from batch_nlp.config import DatasetConfig
from batch_nlp.dataset.columns import is_message_file, text_form
from batch_nlp.storage.manifest import file_hash
from batch_nlp.storage.open_files import open_for_writing
from batch_nlp.storage.raw import find_files
from batch_nlp.storage.raw_names import table_name
from batch_nlp.storage.raw_readable import SetAside, set_aside, sorted_out, unusable

# Seconds that a run waits for files that have just come
_PATIENCE = 5.0
# Seconds without a change after which a writer that has a file open no longer counts
_WRITERS_PAUSE = 3600.0


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
    that are being written, or changed less than `min_age` seconds ago, are left for the next run, after a short wait.

    Parameters
    ----------
    inbox : Path
    dataset : DatasetConfig
    processed : mapping of str to str
        SHA-256 of contents -> the batch that has them.
    min_age : float
        Seconds; with 0, only files that change while they are looked at are left.
    """
    files, refused = sorted_out(inbox_files(inbox, dataset), inbox, dataset.follow_links)
    found, seen = Arrivals({}, refused), dict(processed)
    written = _let_rest(files, min_age)
    for file in files:
        try:
            before = file.stat()
            digest = file_hash(file)
            after = file.stat()
        except OSError as error:
            found.set_aside.append(set_aside(file, error))
            continue
        fresh = _age(after) < (_WRITERS_PAUSE if file.resolve() in written else min_age)
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


def _age(status: os.stat_result) -> float:
    """Return the seconds since a file was changed; a time in the future is a wrong clock's, and would stay one."""
    age = time.time() - status.st_mtime
    return age if age >= 0 else math.inf


def _let_rest(files: Sequence[Path], min_age: float) -> set[Path]:
    """Wait for files that need a few more seconds, and return those that are open for writing even then."""
    lacking = [min_age - _age(file.stat()) for file in files if min_age and file.exists()]
    wait = max((seconds for seconds in lacking if 0 < seconds <= _PATIENCE), default=0.0)
    if wait:
        logger.info("Waiting {:.1f} s, in case files that have just come are still being written", wait)
        time.sleep(wait)
    return open_for_writing({file.resolve() for file in files}) if min_age else set()


def inbox_files(inbox: Path, dataset: DatasetConfig) -> list[Path]:
    """Return the files of the inbox that hold messages."""
    side_tables = [table.files for table in dataset.side_tables]
    return [
        file
        for file in find_files(inbox, "*")
        if is_message_file(name := table_name(file, inbox), dataset)
        or not any(fnmatch(name, pattern + ".*") for pattern in side_tables)
    ]
