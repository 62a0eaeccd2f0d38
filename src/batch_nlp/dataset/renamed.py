"""What to do about a column that a file lacks: which of its other columns it may be, and how it is read."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from batch_nlp.config import ColumnConfig, DatasetConfig, Role
from batch_nlp.dataset.columns import KEY, declared, names_of
from batch_nlp.dataset.labels import Labels
from batch_nlp.errors import examples
from batch_nlp.storage.raw_columns import Column, column_names
from batch_nlp.storage.raw_lines import Row

# Of several columns with one of these roles, a file must have one: old and new names can stand beside each other
NEEDED = (Role.text, Role.id, Role.time)
_PLACEHOLDER = "NEW"


def renamed_advice(
    dataset: DatasetConfig, column: Column, rows: Sequence[Row], declared: set[str], champion: str | None
) -> str:
    """Return what to do if the source renamed a column.

    Parameters
    ----------
    dataset : DatasetConfig
        Of the messages; a setting that names the column is among its own.
    column : Column
        One that the file lacks.
    rows : sequence of dict
        The first rows of the file.
    declared : set of str
        Columns that are known, whatever they are for.
    champion : str or None
        The model whose own columns the file must have: of the settings, it takes ids and times alone.
    """
    old = next(iter(column.reads))
    new, others = _new_name(column, rows, declared)
    if new == _PLACEHOLDER and not others:
        return f"No other column of the file can be {old}: add it to the file."
    setting = _setting(dataset, column, new)
    choice = f" ({_PLACEHOLDER}: one of {examples(others)})" if others else ""
    alone = _if_labels_alone(dataset, old, rows, new)
    is_text = old in dataset.messages.columns and dataset.messages.columns[old].role is Role.text
    if setting and not (is_text and champion):
        trained = " Run pipeline=training with it too: until then, a champion reads the old name." if is_text else ""
        return f"If {old} is called {new} now, read both: {setting}{choice}.{trained}{alone}"
    keeps = f", since the champion {champion} reads the columns that it was trained on" if champion else ""
    train = f" Or, in pipeline=feature, pipeline=training and then here, read both: {setting}." if setting else ""
    return f"If {old} is called {new} now, rename it to {old} in the file{keeps}{choice}.{train}{alone}"


def _if_labels_alone(dataset: DatasetConfig, old: str, rows: Sequence[Row], new: str) -> str:
    """Return what to do where a file without its texts brings the labels of messages that came with others."""
    columns, there = dataset.messages.columns, column_names(rows)
    is_text = old in columns and columns[old].role is Role.text
    if not (is_text and there & set(names_of(columns, Role.id)) and there & set(Labels(dataset.label).columns)):
        return ""
    return f" If the file brings labels alone, declare it as no text: {declared(new, ColumnConfig(Role.ignore))}."


def _new_name(column: Column, rows: Sequence[Row], declared: set[str]) -> tuple[str, list[str]]:
    """Return the column of the file that one is likely to be; else a placeholder, and what it may stand for."""
    unknown = sorted(name for name in map(str, column_names(rows)) if name not in declared)
    found = [name for name in unknown if _may_be(column, rows, name)]
    plain = {re.sub(r"[\W_]", "", name).casefold(): name for name in found}
    for old in column.reads:
        if close := get_close_matches(re.sub(r"[\W_]", "", old).casefold(), plain, n=1):
            return plain[close[0]], []
    return (found[0], []) if len(found) == 1 else (_PLACEHOLDER, found)


def _may_be(column: Column, rows: Sequence[Row], name: str) -> bool:
    values = [value for row in rows if (value := row.get(name)) not in (None, "")]
    return any(reads(value) for reads in column.reads.values() for value in values)


def _setting(dataset: DatasetConfig, column: Column, new: str) -> str | None:
    """Return the setting that reads the new name beside the old one; None where none does."""
    names, columns = list(column.reads), dataset.messages.columns
    if names[0] in columns and columns[names[0]].role in NEEDED:
        return _beside(columns, names[0], new)
    levels = [list(level) for level in Labels(dataset.label).levels]
    if names not in levels or not all(map(KEY.fullmatch, [new, *(name for level in levels for name in level)])):
        return None
    levels[levels.index(names)] = [*names, new]
    shown = ",".join(f"[{','.join(level)}]" if len(level) > 1 else level[0] for level in levels)
    return f"'dataset.label.column=[{shown}]'"


def _beside(columns: Mapping[str, ColumnConfig], old: str, new: str) -> str:
    line = declared(new, replace(columns[old], name=None))
    if KEY.fullmatch(new):
        return shlex.quote(f"+dataset.messages.columns.{line.replace(': ', '=', 1)}")
    return f"add it to messages.columns in the dataset's file, {line}"
