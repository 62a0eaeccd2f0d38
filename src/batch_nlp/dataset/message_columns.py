"""The columns of the messages by role, and checks of their settings."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatch

from batch_nlp.config import ColumnConfig, DatasetConfig, MessagesConfig, Role, SideTableConfig
from batch_nlp.dataset.labels import levels_of
from batch_nlp.errors import SettingsError, did_you_mean
from batch_nlp.storage.raw.opening import TextForm

# Columns that the steps use; a field must not have such a name
RESERVED = frozenset(
    [
        "message_id",
        "text",
        "text_hash",
        "written_at",
        "target",
        "label",
        "label_source",
        "group",
        "source_file",
        "source_line",
        "predicted_class",
        "probabilities",
        "unknown_words",
        "language",
    ]
)
# XGBoost refuses brackets in column names; = and : form the names of category and key columns
_REFUSED = re.compile(r"[\[\]<=:]")
# A key that Hydra accepts on the command line
KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Escape sequence for a separator on the command line
_ESCAPE = re.compile(r"\\(?:t|x[0-9a-fA-F]{2})")
# Roles that define features; the other roles define how messages are found and read
FEATURE_ROLES = frozenset({Role.text, Role.time, Role.category, Role.number, Role.key, Role.raw})
# Added to each row by the reader
_OF_THE_READER = ("source_file", "source_line")


def names_of(columns: Mapping[str, ColumnConfig], *roles: Role) -> list[str]:
    """Return the columns that have one of the roles, in the order of the settings."""
    return [name for name, column in columns.items() if column.role in roles]


def key_field(name: str) -> str:
    """Return the internal name of a key column; no field can have it."""
    return f"key:{name}"


def kept_field(name: str) -> str:
    """Return the internal name of a source column that is copied to the predictions; no field can have it."""
    return f"keep:{name}"


def field_name(name: str, column: ColumnConfig) -> str:
    """Return the name of a column's field."""
    return column.name or name


def can_be_field(name: str) -> bool:
    """Say whether a field can have this name."""
    return name.casefold() not in RESERVED and not _REFUSED.search(name)


@dataclass(frozen=True)
class Joined:
    """A side table joined by a key column, with the prefix of its fields."""

    key: str
    prefix: str
    table: SideTableConfig


def joins(columns: Mapping[str, ColumnConfig], tables: list[SideTableConfig]) -> list[Joined]:
    """Return the joins of the messages' key columns; a table's columns become ``<prefix>_<column>``."""
    by_name = {table.name: table for table in tables}
    return [
        Joined(name, column.name or str(column.of), by_name[str(column.of)])
        for name, column in columns.items()
        if column.role is Role.key and column.of is not None
    ]


def is_message_file(name: str, dataset: DatasetConfig) -> bool:
    """Say whether a file name matches the messages; the pattern ``*`` excludes the files of side tables."""
    if dataset.messages.files == "*":
        return not any(fnmatch(name, table.files + ".*") for table in dataset.side_tables)
    return fnmatch(name, dataset.messages.files + ".*")


def text_form(messages: MessagesConfig) -> TextForm:
    """Return the encoding and separator of message files; the command line passes escapes unresolved."""
    separator = {"tab": "\t"}.get(messages.separator or "", messages.separator)
    if separator and _ESCAPE.fullmatch(separator):
        separator = separator.encode("ascii").decode("unicode_escape")
    return TextForm(separator, messages.encoding)


def declaration(name: str, column: ColumnConfig) -> str:
    """Return the line that declares a column in a dataset's file."""
    said = {"of": column.of, "name": column.name, "format": column.format}
    said["zone"] = None if column.zone == "UTC" else column.zone
    parts = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in said.items() if value is not None]
    key = name if KEY.fullmatch(name) else json.dumps(name, ensure_ascii=False)
    return f"{key}: {{{', '.join([f'role: {column.role.value}', *parts])}}}"


def override(name: str, what: str, value: str) -> list[str]:
    """Return the shell-quoted override of a column's setting; empty if Hydra does not accept the name."""
    key = f"dataset.messages.columns.{name}.{what}"
    return [shlex.quote(f"++{key}={json.dumps(value, ensure_ascii=False)}")] if KEY.fullmatch(name) else []


def _other_name(name: str, column: ColumnConfig) -> str:
    line = f"{declaration(name, replace(column, name='other'))} in the dataset's file"
    return " or ".join([line, *override(name, "name", "other")]) + "."


def check_columns(dataset: DatasetConfig) -> None:
    """Raise a `SettingsError` if the columns of a dataset's file contradict each other."""
    columns, key = dataset.messages.columns, "dataset.messages.columns"
    if not names_of(columns, Role.text):
        raise SettingsError(f"{key}: no column has the role text. Give it to the column with the messages' text.")
    tables = [table.name for table in dataset.side_tables]
    labels = [name for level in levels_of(dataset.label) for name in level]
    _check_roles(columns, key, dataset.forbidden)
    for name in labels:
        if name in columns and columns[name].role is not Role.ignore:
            raise SettingsError(
                f"{key}.{name}.role={columns[name].role.value}: the column is also the label (dataset.label.column), "
                "which must not be a feature. Remove it from one of the two."
            )
    if theirs := [name for name in (*columns, *labels) if name in _OF_THE_READER]:
        raise SettingsError(
            f"{key}.{theirs[0]}: the name is reserved for the origin of a row. Rename the column in the source."
        )
    for position, table in enumerate(dataset.side_tables):
        below = f"dataset.side_tables[{position}]"
        if tables.count(table.name) > 1:
            raise SettingsError(f"{below}.name={table.name}: another side table has this name.")
        _check_roles(table.columns, f"{below}.columns", dataset.forbidden)
        wrong = names_of(table.columns, Role.id, Role.text, Role.key)
        if wrong:
            raise SettingsError(f"{below}.columns.{wrong[0]}.role: need category, number, raw, time or ignore.")
        for name, column in table.columns.items():
            if column.name is not None:
                raise SettingsError(
                    f"{below}.columns.{name}.name={column.name}: the field's name is fixed, NAME_{name} with the name "
                    "of the key or of the table. Remove this setting."
                )
    for name, column in columns.items():
        if column.role is Role.key and column.of is not None and column.of not in tables:
            raise SettingsError(f"{key}.{name}.of={column.of}: there is no such side table. {_hint(column.of, tables)}")
    _check_field_names(dataset, key)
    group = dataset.split.column
    if group is not None and group not in columns:
        raise SettingsError(f"dataset.split.column={group}: not declared in {key}. {_hint(group, list(columns))}")


def _check_field_names(dataset: DatasetConfig, key: str) -> None:
    columns, taken = dataset.messages.columns, dict.fromkeys(RESERVED, "the steps")
    for one in joins(columns, dataset.side_tables):
        fields = [f"{one.prefix}_{name}" for name in one.table.columns]
        if wrong := [name for name in fields if _REFUSED.search(name)]:
            raise SettingsError(
                f"{key}.{one.key}: {wrong[0]} is not a valid field name. Rename the column in the source."
            )
        if twice := [name for name in fields if name.casefold() in taken]:
            raise SettingsError(
                f"{key}.{one.key}: {taken[twice[0].casefold()]} already has a field {twice[0]}. Give the key another "
                f"name: {_other_name(one.key, columns[one.key])}"
            )
        taken |= dict.fromkeys(map(str.casefold, fields), one.key)
    for name in names_of(columns, Role.category, Role.number, Role.raw):
        field = field_name(name, columns[name])
        if field.casefold() in taken or _REFUSED.search(field):
            owner = taken.get(field.casefold())
            raise SettingsError(
                f"{key}.{name}: the field name {field} is {f'already used by {owner}' if owner else 'not valid'}. Give "
                f"the field another name: {_other_name(name, columns[name])}"
            )
        taken[field.casefold()] = name


def _hint(name: str, valid: list[str]) -> str:
    return did_you_mean(name, valid) if valid else "The dataset has no such columns."


def _check_roles(columns: Mapping[str, ColumnConfig], key: str, forbidden: list[str]) -> None:
    for name, column in columns.items():
        if name in forbidden and column.role is not Role.ignore:
            raise SettingsError(
                f"{key}.{name}.role={column.role.value}: the column is listed in dataset.forbidden, since it contains "
                "the label or is known only later. Remove it from one of the two."
            )
