"""What has come into the inbox: files of messages that are new, those still being written, and those set aside."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Container, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pyarrow as pa
from loguru import logger

from batch_nlp.config import DatasetConfig
from batch_nlp.dataset.columns import is_message_file, text_form
from batch_nlp.errors import DataError, examples, printable
from batch_nlp.inference.past import among
from batch_nlp.storage.open_files import open_for_writing
from batch_nlp.storage.raw import find_files
from batch_nlp.storage.raw_formats import CSV
from batch_nlp.storage.raw_names import kind_of, looks_of, packing_of, source_name, table_name
from batch_nlp.storage.raw_open import open_raw, raw_hash
from batch_nlp.storage.raw_readable import SetAside, is_utf8, set_aside, sorted_out, unusable

# Seconds that a run waits for files that have just come
_PATIENCE = 5.0
# Seconds for which a CSV that breaks off within a line must not have changed: what looks like its last cell may be half
# of it. A line end takes so many bytes
_BROKEN_OFF, _TAIL_BYTES = 30.0, 4
# Seconds without a change after which a writer that has a file open no longer counts
_WRITERS_PAUSE = 3600.0


@dataclass(frozen=True)
class Arrivals:
    """What is in the inbox and in no batch.

    Parameters
    ----------
    files : dict of str to str
        Name in the inbox, below it for a part of a table -> SHA-256 of the content.
    looked : dict of str to tuple of int
        By this hash, size and time of change (nanoseconds) of the file when it was looked at.
    scored : dict of str to str
        Name in the inbox -> batch, of files that batches have.
    set_aside : list of SetAside
        Files that cannot be used.
    """

    files: dict[str, str]
    looked: dict[str, tuple[int, int]]
    scored: dict[str, str]
    set_aside: list[SetAside]


def arrivals(inbox: Path, dataset: DatasetConfig, known: pa.Table, min_age: float) -> Arrivals:
    """Return the files of messages in the inbox whose content no batch has.

    Every file with a known ending counts as messages, but for those that match the pattern of a side table. Files
    that are being written, or changed less than `min_age` seconds ago, are left for the next run, after a short wait.

    Parameters
    ----------
    inbox : Path
    dataset : DatasetConfig
    known : Table
        Rows of `batch_nlp.inference.past.FILES`: what batches have. A file of the name, size and time of one of them
        is not read again.
    min_age : float
        Seconds; with 0, only files that change while they are looked at are left. Otherwise, a CSV without a line
        end at its end must have rested for half a minute.
    """
    depth, looks = len(inbox.parts), looks_of(inbox)
    like_known = among(known, "name", filter(is_utf8, looks))
    # the inbox may keep what was scored for years: such files cost a look at their size and time
    same = {row["name"]: row["batch"] for row in like_known if looks[row["name"]] == (row["size"], row["changed_ns"])}
    names = {file: "/".join(file.parts[depth:]) for file in inbox_files(inbox, dataset, but=same)}
    files, refused = sorted_out(names, inbox, dataset.follow_links)
    found, digests = Arrivals({}, {}, same, refused), dict[Path, str]()
    written = _let_rest(files, min_age)
    for file in files:
        try:
            before = file.stat()
            looked = before.st_size, before.st_mtime_ns
            digest = raw_hash(file)
            after = file.stat()
        except (DataError, OSError) as error:
            found.set_aside.append(set_aside(file, error))
            continue
        age = _age(after)
        fresh = age < (_WRITERS_PAUSE if file.resolve() in written else _rest(file, age, min_age))
        if fresh or looked != (after.st_size, after.st_mtime_ns):
            logger.warning("{} is still being written: it is left for the next run", file)
        else:
            digests[file], found.looked[digest] = digest, looked
    seen = {row["digest"]: row["batch"] for row in among(known, "digest", digests.values())}
    for file, digest in digests.items():
        if digest in seen:
            found.scored[names[file]] = seen[digest]
        elif problem := unusable(file, text_form(dataset.messages)):
            found.set_aside.append(problem)
        else:
            found.files[names[file]], seen[digest] = digest, "this batch"
    if found.scored:
        named = examples(f"{name} in {batch}" for name, batch in found.scored.items())
        logger.debug("{:,} file(s) were scored before: {}", len(found.scored), named)
    return found


def _age(status: os.stat_result) -> float:
    """Return the seconds since a file was changed; a time in the future is a wrong clock's, and would stay one."""
    age = time.time() - status.st_mtime
    return age if age >= 0 else math.inf


def _let_rest(files: Sequence[Path], min_age: float) -> set[Path]:
    """Wait for files that need a few more seconds, and return those that are open for writing even then."""
    wait, why = 0.0, ""
    for file in files if min_age else ():
        age = _age(file.stat()) if file.exists() else math.inf
        rest = _rest(file, age, min_age)
        lacking = rest - age
        if wait < lacking <= (_PATIENCE if rest == min_age else _BROKEN_OFF):
            wait, why = lacking, "has just come" if rest == min_age else "breaks off within a line"
            shown = printable(source_name(file))
    if wait:
        logger.info("Waiting {:.1f} s: {} {} and may still be being written", wait, shown, why)
        time.sleep(wait)
    return open_for_writing({file.resolve() for file in files}) if min_age else set()


def _rest(file: Path, age: float, min_age: float) -> float:
    """Return for how many seconds a file must not have changed; of a JSON line that is cut no row is made."""
    if not min_age or age >= _BROKEN_OFF or kind_of(file) not in CSV or packing_of(file.name):
        return min_age
    try:
        with open_raw(file) as opened:
            opened.seek(max(0, file.stat().st_size - _TAIL_BYTES))
            whole = opened.read().rstrip(b"\0")[-1:] in (b"", b"\n", b"\r")
    except (OSError, DataError):  # told where it is read
        return min_age
    return min_age if whole else max(min_age, _BROKEN_OFF)


def inbox_files(inbox: Path, dataset: DatasetConfig, but: Container[str] = ()) -> list[Path]:
    """Return the files of the inbox that hold messages, without some that are named as below the inbox."""
    side_tables = [table.files for table in dataset.side_tables]
    return [
        file
        for file in find_files(inbox, "*", but)
        if is_message_file(name := table_name(file, inbox), dataset)
        or not any(fnmatch(name, pattern + ".*") for pattern in side_tables)
    ]
