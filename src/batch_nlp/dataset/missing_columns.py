"""Advice for missing columns: they may lie within objects, or have been renamed."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from batch_nlp.config import ColumnConfig, DatasetConfig, Role
from batch_nlp.dataset.conversion import as_number
from batch_nlp.dataset.labels import Labels
from batch_nlp.dataset.message_columns import KEY, declaration, names_of
from batch_nlp.dataset.parse_times import is_time
from batch_nlp.errors import examples
from batch_nlp.storage.raw.column_checks import Column, column_names
from batch_nlp.storage.raw.lines import Row
from batch_nlp.storage.raw.nested_json import (
    flatten_command,
    flatten_row,
    is_list_of_objects,
    objects_at,
    paths_to_lists,
)

# A file needs one column of each of these roles; old and new names can be declared side by side
NEEDED = (Role.text, Role.id, Role.time)
_PLACEHOLDER = "NEW"
# Values inspected to tell numbers and times from texts
_TELLING, _TIME = 100, ColumnConfig(Role.time)


def missing_advice(
    dataset: DatasetConfig,
    file: Path,
    rows: Sequence[Row],
    missing: Sequence[Column],
    declared: set[str],
    champion: str | None,
) -> list[str]:
    """Return what to do about missing columns: where they lie within objects, or their likely new names.

    `rows` are the first rows of the file, and `declared` all known columns. The columns must be those of the model
    `champion`, which takes only ids and times from the settings.
    """
    if (nested := _nested_advice(dataset, file, rows, missing)) is not None:
        return [nested]
    return [_renamed_advice(dataset, column, rows, declared, champion) for column in missing]


def _nested_advice(dataset: DatasetConfig, file: Path, rows: Sequence[Row], missing: Sequence[Column]) -> str | None:
    """Return advice for a file that has all required columns within its objects; None for other files."""
    needed = [column for column in missing if column.required]
    if not needed or dataset.messages.rows is not None:
        return None
    fields = {
        name: None
        for row in rows
        for name, value in row.items()
        if isinstance(value, dict) or is_list_of_objects(value)
    }
    deeper = paths_to_lists(rows[0]) if len(rows) == 1 else ()
    for path in ([], *([name] for name in fields), *deeper):
        found = [entry for row in rows for entry in objects_at(row, path)]
        if len(path) == 1 and KEY.fullmatch(path[0]) and _has(found, needed):
            return f"The rows lie in {path[0]}: set dataset.messages.rows={path[0]}; files without it stay readable."
        if _has(map(flatten_row, found), needed):
            where = f"in {'.'.join(path)}" if path else "within objects"
            command, target = flatten_command(file, path)
            return f"They lie {where}. Write {target.name} with {command}, and remove {file.name}."
    return None


def _has(rows: Iterable[Row], columns: Sequence[Column]) -> bool:
    names = column_names(rows)
    return not any(names.isdisjoint(column.reads) for column in columns)


def _renamed_advice(
    dataset: DatasetConfig, column: Column, rows: Sequence[Row], declared: set[str], champion: str | None
) -> str:
    old = next(iter(column.reads))
    is_text = _is_text(dataset, old)
    new, others = _new_name(column, rows, declared, is_text)
    if new == _PLACEHOLDER and not others:
        return f"No other column of the file can be {old}. Add it to the file."
    setting = _setting(dataset, column, new)
    choice = f" ({_PLACEHOLDER}: one of {examples(others)})" if others else ""
    alone = _if_labels_alone(dataset, old, rows, new)
    if setting and not (is_text and champion):
        trained = " Also run pipeline=training with it: until then, a champion reads the old name." if is_text else ""
        return f"If {old} is now called {new}, read both: {setting}{choice}.{trained}{alone}"
    keeps = f", since champion {champion} reads the columns that it was trained on" if champion else ""
    both = f" Or read both, first in pipeline=feature and pipeline=training: {setting}." if setting else ""
    return f"If {old} is now called {new}, rename it to {old} in the file{keeps}{choice}.{both}{alone}"


def _is_text(dataset: DatasetConfig, name: str) -> bool:
    return name in dataset.messages.columns and dataset.messages.columns[name].role is Role.text


def _if_labels_alone(dataset: DatasetConfig, old: str, rows: Sequence[Row], new: str) -> str:
    """Return advice for a file without texts that contains the labels of messages from other files."""
    there, ids = column_names(rows), set(names_of(dataset.messages.columns, Role.id))
    if not (_is_text(dataset, old) and there & ids and there & set(Labels(dataset.label).columns)):
        return ""
    return f" If the file contains only labels, ignore the column: {declaration(new, ColumnConfig(Role.ignore))}."


def _new_name(column: Column, rows: Sequence[Row], declared: set[str], is_text: bool) -> tuple[str, list[str]]:
    """Return the likely new name of a column, or a placeholder and the names that it may stand for."""
    unknown = sorted(name for name in map(str, column_names(rows)) if name not in declared)
    found = [name for name in unknown if _may_be(column, rows, name, is_text)]
    plain = {re.sub(r"[\W_]", "", name).casefold(): name for name in found}
    for old in column.reads:
        if close := get_close_matches(re.sub(r"[\W_]", "", old).casefold(), plain, n=1):
            return plain[close[0]], []
    return (found[0], []) if len(found) == 1 else (_PLACEHOLDER, found)


def _may_be(column: Column, rows: Sequence[Row], name: str, is_text: bool) -> bool:
    values = [value for row in rows if (value := row.get(name)) not in (None, "")]
    if is_text:  # numbers and times may be written as text
        values = [one for one in values[:_TELLING] if math.isnan(as_number(one)) and not is_time(one, _TIME)]
    return any(reads(value) for reads in column.reads.values() for value in values)


def _setting(dataset: DatasetConfig, column: Column, new: str) -> str | None:
    """Return the setting that reads the new name beside the old one, if there is one."""
    names, columns = list(column.reads), dataset.messages.columns
    if names[0] in columns and columns[names[0]].role in NEEDED:
        line = declaration(new, replace(columns[names[0]], name=None))
        if KEY.fullmatch(new):
            return shlex.quote(f"+dataset.messages.columns.{line.replace(': ', '=', 1)}")
        return f"add it to messages.columns in the dataset's file, {line}"
    levels = [list(level) for level in Labels(dataset.label).levels]
    if names not in levels or not all(map(KEY.fullmatch, [new, *(name for level in levels for name in level)])):
        return None
    levels[levels.index(names)] = [*names, new]
    shown = ",".join(f"[{','.join(level)}]" if len(level) > 1 else level[0] for level in levels)
    return f"'dataset.label.column=[{shown}]'"
