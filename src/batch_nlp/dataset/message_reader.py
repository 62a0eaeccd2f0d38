"""Read the messages of a dataset, batch by batch, and files that contain only labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from batch_nlp.config import ColumnConfig, Config, Role
from batch_nlp.dataset.conversion import as_key, readable
from batch_nlp.dataset.labels import Labels
from batch_nlp.dataset.message_columns import is_message_file, names_of, text_form
from batch_nlp.dataset.where import Where
from batch_nlp.storage.ledger import Ledger
from batch_nlp.storage.raw.batches import RawBatch, read_batches
from batch_nlp.storage.raw.file_names import find_files, table_name
from batch_nlp.storage.raw.set_aside import SetAside, split_allowed


def message_files(config: Config) -> list[Path]:
    """Return the message files in ``dataset.raw_dir``."""
    folder = Path(config.dataset.raw_dir)
    found = find_files(folder, config.dataset.messages.files)
    return [file for file in found if is_message_file(table_name(file, folder), config.dataset)]


def allowed_message_files(config: Config) -> tuple[list[Path], list[SetAside]]:
    """Return the message files in ``dataset.raw_dir``: the allowed ones and the refused ones."""
    return split_allowed(message_files(config), Path(config.dataset.raw_dir), config.dataset.follow_links)


def read_messages(
    config: Config, columns: Mapping[str, ColumnConfig], files: Sequence[Path], labels: bool
) -> Iterator[RawBatch]:
    """Read these columns of the message files, and the labels if asked for."""
    messages, named = config.dataset.messages, Labels(config.dataset.label).columns
    wanted = [name for name, column in columns.items() if column.role is not Role.ignore]
    group = config.dataset.split.column
    wanted += [name for name in [*(named if labels else []), *([group] if group else [])] if name not in wanted]
    where = None if messages.where is None else Where(messages.where)
    ignored = [*messages.columns, *config.dataset.forbidden, *named, *(where.columns if where else [])]
    keeps, form = None if where is None else where.keeps, text_form(messages)
    return read_batches(files, (), wanted, config.engine.batch_rows, ignored, messages.rows, keeps, form)


def read_labels(config: Config, files: Sequence[Path], ledger: Ledger) -> Iterator[pd.DataFrame]:
    """Read files that contain only ids and labels: `message_id`, `target` and `source_file`.

    The ledger counts the rows, and quarantines those whose id or label is missing, unreadable or unknown.
    """
    labels = Labels(config.dataset.label)
    ids = names_of(config.dataset.messages.columns, Role.id)
    messages = config.dataset.messages
    ignored = [*messages.columns, *config.dataset.forbidden]
    wanted, form = [*ids, *labels.columns], text_form(messages)
    for batch in read_batches(files, (), wanted, config.engine.batch_rows, ignored, messages.rows, form=form):
        ledger.receive(batch)
        rows = batch.rows
        found, wrong_id = pd.Series(None, rows.index, object), pd.Series(False, rows.index)
        for name in ids:
            values, unreadable = readable(rows[name], as_key)
            wrong_id |= unreadable & found.isna()
            found = found.where(found.notna(), values.mask(values.eq(""), None))
        targets, wrong = labels.read(rows)
        rows = rows.assign(message_id=found, target=targets)
        unknown = targets.notna() & ~targets.isin(labels.allowed) if labels.allowed is not None else wrong & False
        refused = {
            "message_id is missing": wrong_id | found.isna(),
            "label is missing or cannot be read": wrong | targets.isna(),
            "label is longer than 256 characters": targets.str.len() > 256,
            "target is not one of the dataset's": unknown,
        }
        rest = pd.Series(True, rows.index)
        for reason, mask in refused.items():
            column = "message_id" if "id" in reason.split()[0] else "target"
            if (rest & mask).any():
                ledger.quarantine(rows[rest & mask], "labels", reason, column, rows[column][rest & mask])
            rest &= ~mask
        ledger.labels_alone += int(rest.sum())
        yield rows.loc[rest, ["message_id", "target", "source_file"]]
