"""Find the new message files in the inbox, without files that are still being written or cannot be used."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pyarrow as pa
from loguru import logger

from batch_nlp.config import DatasetConfig
from batch_nlp.dataset.message_columns import is_message_file, text_form
from batch_nlp.errors import DataError, examples
from batch_nlp.inference.past import among
from batch_nlp.storage.raw.file_names import find_files, size_and_time, stat_files, table_name
from batch_nlp.storage.raw.opening import raw_hash
from batch_nlp.storage.raw.set_aside import SetAside, is_utf8, set_aside, split_allowed, unusable
from batch_nlp.storage.raw.still_written import (
    age_of,
    log_still_written,
    open_for_writing,
    required_rest,
    wait_until_written,
)

# Seconds without a change after which an open file no longer counts as being written
_WRITERS_PAUSE = 3600.0


@dataclass(frozen=True)
class Arrivals:
    """Files in the inbox, by their names relative to it.

    `files` maps new files to the SHA-256 of the content, and `looked` this hash to size and modification time (ns) of
    the file when it was hashed. `scored` maps known files to their batch; `set_aside` has the unusable files.
    """

    files: dict[str, str]
    looked: dict[str, tuple[int, int]]
    scored: dict[str, str]
    set_aside: list[SetAside]


def arrivals(inbox: Path, dataset: DatasetConfig, known: pa.Table, min_age: float) -> Arrivals:
    """Return the message files in the inbox whose content belongs to no batch.

    All files with a known extension are message files, except those of side tables. Files that are being written, or
    changed less than `min_age` seconds ago, are left for the next run after a short wait: 0 only excludes files that
    change while they are hashed; otherwise, a CSV without a final line end must not have changed for 30 seconds.

    `known` has the files of all batches, rows of `past.FILES`. A file with the name, size and time of one of them is
    not read again.
    """
    depth, looks = len(inbox.parts), stat_files(inbox)
    like_known = among(known, filter(is_utf8, looks), "name", "size", "changed_ns", "batch")
    # the inbox may keep scored files for years, so only their size and time are checked
    same = {name: batch for name, size, changed_ns, batch in like_known if looks[name] == (size, changed_ns)}
    names = {file: "/".join(file.parts[depth:]) for file in inbox_files(inbox, dataset, but=same)}
    files, refused = split_allowed(names, inbox, dataset.follow_links)
    found, digests = Arrivals({}, {}, same, refused), dict[Path, str]()
    written = set[Path]()
    if min_age:
        wait_until_written(files, min_age)
        written = open_for_writing({file.resolve() for file in files})
    for file in files:
        try:
            looked, digest, after = size_and_time(file), raw_hash(file), size_and_time(file)
        except (DataError, OSError) as error:
            found.set_aside.append(set_aside(file, error))
            continue
        age = age_of(file)
        rest = required_rest(file, age, min_age) if min_age else 0.0
        fresh = age < (_WRITERS_PAUSE if file.resolve() in written else rest)
        if fresh or looked != after:
            log_still_written(file)
        else:
            digests[file], found.looked[digest] = digest, looked
    seen = dict(among(known, digests.values(), "digest", "batch"))
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


def inbox_files(inbox: Path, dataset: DatasetConfig, but: Container[str] = ()) -> list[Path]:
    """Return the message files in the inbox, without those whose names, relative to it, are in `but`."""
    side_tables = [table.files for table in dataset.side_tables]
    return [
        file
        for file in find_files(inbox, "*", but)
        if is_message_file(name := table_name(file, inbox), dataset)
        or not any(fnmatch(name, pattern + ".*") for pattern in side_tables)
    ]
