"""The raw tables of a dataset: their files, expected columns and format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from batch_nlp.config import ColumnConfig, DatasetConfig, Role
from batch_nlp.dataset.expected_values import expected_column
from batch_nlp.dataset.labels import Labels
from batch_nlp.dataset.message_columns import names_of, text_form
from batch_nlp.dataset.missing_columns import NEEDED
from batch_nlp.dataset.where import Where
from batch_nlp.storage.raw.column_checks import Column
from batch_nlp.storage.raw.opening import DETECTED, TextForm


def raw_tables(
    dataset: DatasetConfig,
    messages: Sequence[Path],
    files_of_tables: Mapping[str, list[Path]],
    champion: str | None = None,
) -> dict[str, tuple[list[Path], list[Column], str | None]]:
    """Return table -> files, expected columns, and the field that contains the columns; the messages first."""
    # if a column of the condition were missing, no row would be left
    condition = [] if dataset.messages.where is None else Where(dataset.messages.where).columns
    conditional = [Column({name: lambda _: True}, "values", required=True) for name in condition]
    columns = dataset.messages.columns
    expected = partial(expected_column, columns, champion=champion)
    needed = [expected(names, required=True) for role in NEEDED if (names := names_of(columns, role))]
    optional = [expected([name]) for name in names_of(columns, Role.category, Role.number, Role.key, Role.raw)]
    tables = {"message": (list(messages), [*needed, *optional, *conditional], dataset.messages.rows)}
    for table in dataset.side_tables:
        key = {table.key: ColumnConfig(Role.key)}
        others = {name: column for name, column in table.columns.items() if column.role is not Role.ignore}
        found = [
            expected_column(key, [table.key], required=True),
            *(
                expected_column(others, [name], column.role is Role.time, of_messages=False, champion=champion)
                for name, column in others.items()
            ),
        ]
        tables[table.name] = (files_of_tables[table.name], found, None)
    return tables


def table_form(dataset: DatasetConfig, table: str) -> TextForm:
    """Return the encoding and separator of a table's text files."""
    return text_form(dataset.messages) if table == "message" else DETECTED


def known_columns(dataset: DatasetConfig, table: str) -> set[str]:
    """Return all known columns of a table."""
    for found in dataset.side_tables:
        if found.name == table:
            return {found.key, *found.columns, *dataset.forbidden}
    condition = [] if dataset.messages.where is None else Where(dataset.messages.where).columns
    return {*dataset.messages.columns, *dataset.forbidden, *Labels(dataset.label).columns, *condition}
