"""Which columns the raw tables should have, and whether they do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from batch_nlp.config import DatasetConfig, Role
from batch_nlp.dataset.columns import names_of
from batch_nlp.dataset.labels import Labels
from batch_nlp.dataset.side_tables import table_files
from batch_nlp.errors import DataError
from batch_nlp.storage.atomic import write_json
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.raw_columns import Column, Kind, column_names, column_problems, first_rows, refuse

_KINDS = {
    Role.id: Kind.KEY,
    Role.key: Kind.KEY,
    Role.text: Kind.TEXT,
    Role.time: Kind.DATE,
    Role.number: Kind.NUMBER,
}
# Of several columns with one of these roles, a file must have one
_NEEDED = (Role.text, Role.id, Role.time)


def _message_columns(dataset: DatasetConfig, labels: bool) -> list[Column]:
    columns = dataset.messages.columns
    needed = [
        Column(tuple(names), _KINDS[role], required=True, formats=tuple(columns[name] for name in names))
        for role in _NEEDED
        if (names := names_of(columns, role))
    ]
    others = [
        Column((name,), _KINDS.get(columns[name].role, Kind.ANY))
        for name in names_of(columns, Role.category, Role.number, Role.key, Role.raw)
    ]
    named = Labels(dataset.label).columns if labels else []
    return [*needed, *others, *(Column((name,), Kind.LABEL) for name in named)]


def _tables(
    dataset: DatasetConfig, messages: Sequence[Path], inbox: Path, labels: bool
) -> dict[str, tuple[list[Path], list[Column], str | None]]:
    tables = {"message": (list(messages), _message_columns(dataset, labels), dataset.messages.rows)}
    for table in dataset.side_tables:
        expected = [
            Column((table.key,), Kind.KEY, required=True),
            *(
                Column((name,), _KINDS.get(column.role, Kind.ANY), column.role is Role.time, (column,))
                for name, column in table.columns.items()
                if column.role is not Role.ignore
            ),
        ]
        tables[table.name] = (table_files(dataset, table, inbox), expected, None)
    return tables


def _seen(layers: Layers) -> dict[str, list[str]]:
    try:
        found: dict[str, list[str]] = json.loads(layers.seen_columns.read_bytes())
    except (FileNotFoundError, ValueError):  # without it nothing is missed but what every file must have
        return {}
    return found


def check_schema(dataset: DatasetConfig, messages: Sequence[Path], inbox: Path, layers: Layers, labels: bool) -> None:
    """Refuse raw files whose schema has changed, before any work.

    Parameters
    ----------
    dataset : DatasetConfig
        Where the raw files are, and what their columns are.
    messages : sequence of Path
        Message files that are to be read.
    inbox : Path
        Where files of the side tables may have come along with new messages.
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
    for table, (files, expected, under) in _tables(dataset, messages, inbox, labels).items():
        for file in files:
            try:
                problems += column_problems(file, expected, seen.get(table, ()), under)
            except DataError as error:
                problems.append(str(error))
    refuse(problems, f"If a column is gone for good, remove {layers.seen_columns}.")


def remember_columns(dataset: DatasetConfig, messages: Sequence[Path], inbox: Path, layers: Layers) -> None:
    """Note which columns the tables had that a run took in: later files must have them too."""
    seen = _seen(layers)
    for table, (files, expected, under) in _tables(dataset, messages, inbox, labels=True).items():
        present = set().union(*(column_names(first_rows(file, under)) for file in files))
        names = {name for column in expected for name in column.names}
        seen[table] = sorted(set(seen.get(table, ())) | (names & present))
    write_json(layers.seen_columns, seen)


def holds_labels_alone(dataset: DatasetConfig, file: Path) -> bool:
    """Say whether a file brings labels of messages that came with others: of the declared columns it has ids alone.

    One that lacks its texts and has times or features is a file of messages whose schema has changed.
    """
    present = column_names(first_rows(file, dataset.messages.rows))
    ids = set(names_of(dataset.messages.columns, Role.id))
    others = set(names_of(dataset.messages.columns, *(set(Role) - {Role.id, Role.ignore})))
    return bool(present & ids and present & set(Labels(dataset.label).columns)) and not present & others
