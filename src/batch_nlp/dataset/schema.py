"""Which columns the raw tables should have, and whether they do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from batch_nlp.config import ColumnsConfig, DatasetConfig
from batch_nlp.errors import DataError
from batch_nlp.storage.atomic import write_json
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.raw import find_files
from batch_nlp.storage.raw_columns import Column, Kind, column_names, column_problems, first_rows, refuse

# The Yelp Open Dataset's names, as `side_tables` reads them
_SIDE_TABLES = {
    "user": [
        Column("user_id", Kind.KEY, required=True),
        Column("yelping_since", Kind.DATE),
        Column("elite", Kind.WORDS),
        Column("review_count", Kind.NUMBER),
    ],
    "business": [Column("business_id", Kind.KEY, required=True), Column("categories", Kind.WORDS)],
}


def _message_columns(columns: ColumnsConfig, labels: bool) -> list[Column]:
    return [
        Column(columns.message_id, Kind.KEY, required=True),
        Column(columns.text, Kind.TEXT, required=True),
        Column(columns.date, Kind.DATE, required=True),
        Column(columns.user_id, Kind.KEY),
        Column(columns.business_id, Kind.KEY),
        *([Column(columns.target, Kind.LABEL)] if labels else []),
    ]


def _tables(
    dataset: DatasetConfig, columns: ColumnsConfig, messages: Sequence[Path], inbox: Path, labels: bool
) -> dict[str, tuple[list[Path], list[Column]]]:
    tables = {"message": (list(messages), _message_columns(columns, labels))}
    for table, expected in _SIDE_TABLES.items():
        pattern = getattr(dataset.tables, table)
        folders = (Path(dataset.raw_dir), inbox)
        tables[table] = (
            [file for folder in folders for file in find_files(folder, pattern)] if pattern else [],
            expected,
        )
    return tables


def _seen(layers: Layers) -> dict[str, list[str]]:
    try:
        found: dict[str, list[str]] = json.loads(layers.seen_columns.read_bytes())
    except (FileNotFoundError, ValueError):  # without it nothing is missed but what every file must have
        return {}
    return found


def check_schema(
    dataset: DatasetConfig, columns: ColumnsConfig, messages: Sequence[Path], inbox: Path, layers: Layers, labels: bool
) -> None:
    """Refuse raw files whose schema has changed, before any work.

    Parameters
    ----------
    dataset : DatasetConfig
        Where the raw files are.
    columns : ColumnsConfig
        Source columns of the messages.
    messages : sequence of Path
        Message files that are to be read.
    inbox : Path
        Where user and business files may have come along with new messages.
    layers : Layers
        Where it is kept which columns there were before.
    labels : bool
        Whether the labels of the messages are read.

    Raises
    ------
    DataError
        If a file cannot be read, or a column is missing or of another type; all failures of all tables are in it.
    """
    seen, problems = _seen(layers), []
    for table, (files, expected) in _tables(dataset, columns, messages, inbox, labels).items():
        for file in files:
            try:
                problems += column_problems(file, expected, seen.get(table, ()))
            except DataError as error:
                problems.append(str(error))
    refuse(problems, f"If a column is gone for good, remove {layers.seen_columns}.")


def remember_columns(
    dataset: DatasetConfig, columns: ColumnsConfig, messages: Sequence[Path], inbox: Path, layers: Layers
) -> None:
    """Note which columns the tables had that a run took in: later files must have them too."""
    seen = _seen(layers)
    for table, (files, expected) in _tables(dataset, columns, messages, inbox, labels=True).items():
        present = set().union(*(column_names(first_rows(file)) for file in files))
        seen[table] = sorted(set(seen.get(table, ())) | ({column.name for column in expected} & present))
    write_json(layers.seen_columns, seen)
