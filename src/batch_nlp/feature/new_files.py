"""Find the new files in ``01_raw``: those that a run ingests, and those that it sets aside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from batch_nlp.config import Config
from batch_nlp.dataset.drop_folders import log_set_aside
from batch_nlp.dataset.message_columns import text_form
from batch_nlp.dataset.message_reader import allowed_message_files
from batch_nlp.dataset.schema_check import check_schema, holds_labels_alone
from batch_nlp.dataset.unreadable_values import unreadable
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.raw.known_files import RawFile, RawFiles
from batch_nlp.storage.raw.set_aside import SetAside, unusable
from batch_nlp.storage.raw.still_written import log_still_written, wait_until_written


@dataclass(frozen=True)
class NewFiles:
    """Files in ``01_raw`` that the store does not contain yet, in the order in which they were first seen.

    `messages` are those `files` that contain more than labels; `set_aside` has the files that cannot be used.
    """

    files: list[RawFile]
    messages: list[Path]
    set_aside: list[SetAside]


def new_files(config: Config, layers: Layers, known: RawFiles) -> NewFiles:
    """Return the new files, and log those that cannot be used; raise a `DataError` if the schema has changed."""
    allowed, refused = allowed_message_files(config)
    form = text_form(config.dataset.messages)
    if config.inference.min_age_seconds:
        for path in (growing := wait_until_written(allowed, 0.0)):
            log_still_written(path)
        allowed = [path for path in allowed if path not in growing]
    new = {file.path: file for file in known.new(allowed)}
    broken = {path: found for path in new if (found := unusable(path, form))}
    whole = [path for path in new if path not in broken]
    unfit = [*refused, *known.set_aside, *broken.values()]
    log_set_aside(unfit)
    if not whole:
        return NewFiles([], [], unfit)
    messages = [path for path in whole if not holds_labels_alone(config.dataset, path)]
    unread = check_schema(config.dataset, messages, Path(config.inference.inbox), layers, labels=True)
    for path in {*whole}.difference(messages):
        if found := unreadable(config.dataset, path, labels=True):
            unread[path] = found
    log_set_aside([*unread.values()])
    fit = [path for path in whole if path not in unread]
    messages = [path for path in messages if path not in unread]
    return NewFiles([new[path] for path in fit], messages, [*unfit, *unread.values()])
