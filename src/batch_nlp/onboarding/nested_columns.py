"""Nested JSON: find the field that contains all columns, or advise a command that flattens the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from batch_nlp.errors import DataError, examples
from batch_nlp.onboarding.column_profiles import profiles
from batch_nlp.onboarding.guess_roles import text_columns, text_score
from batch_nlp.onboarding.proposal import GivenColumns
from batch_nlp.storage.raw.formats import rows_of
from batch_nlp.storage.raw.lines import BrokenRow, Numbered, Row
from batch_nlp.storage.raw.nested_json import (
    expand_lists,
    flatten_command,
    flatten_row,
    is_list_of_objects,
    objects_at,
    paths_to_lists,
    unwrap,
)


def wrapping_field(rows: Sequence[Row]) -> str | None:
    """Return the field that contains the columns, or a list of rows, in nearly every row, if no text is beside it."""
    held = Counter(name for row in rows for name, value in row.items() if isinstance(value, dict | list) and value)
    usual = [name for name, count in held.items() if count >= 0.9 * len(rows)]
    if not usual or text_columns(profiles(rows)):
        return None
    return next((name for name in usual if text_columns(profiles(_under(rows, name)))), None)


def _under(rows: Sequence[Row], name: str) -> list[Row]:
    whole = (Numbered(number, row, 0) for number, row in enumerate(rows))
    return [unwrap(row, name) for _, row, _ in expand_lists(whole, name) if isinstance(row, dict)]


def check_nested(first: Mapping[Path, Sequence[Row]], under: str | None, asked: GivenColumns) -> list[str]:
    """Return warnings about fields that are not read: within objects, or beside the field that contains the columns.

    `first` has the first rows of each file with all fields; `under` is the field that contains the columns. A
    `DataError` is raised if a column named by the user contains objects, or only fields within objects look like texts.
    """
    file = next((file for file, rows in first.items() if any(map(_is_nested, rows))), None)
    if file is None:
        return []
    rows = [row for rows in first.values() for row in rows]
    columns = profiles(_under(rows, under) if under else rows)
    objects, beside = [column.name for column in columns if column.holds_objects], fields_beside(rows, under)
    path = _path_of_rows(first[file], under)
    flatten_it = _advice(file, path)
    # what lies beside a list of rows belongs to none of the rows
    unread = {*objects, *([] if path else {under, *beside} - {column.name for column in columns})}
    asked_for = [name for names in vars(asked).values() for name in names or ()]
    if lost := [name for name in asked_for if name.partition(".")[0] in unread]:
        where = f", or are beside {under}" if under else ""
        raise DataError(
            f"{file}: {examples(lost)} cannot be columns: they are objects, or fields of objects{where}. {flatten_it}"
        )
    if objects and not asked.text and not text_columns(columns):
        flat_columns = profiles([flatten_row(entry) for row in first[file] for entry in objects_at(row, path)])
        if texts := [column.name for column in text_columns(flat_columns)]:
            raise DataError(
                f"{file}: no column looks like texts. Fields within objects do, but are not read: {examples(texts)}. "
                f"{flatten_it}"
            )
    notes = [f"Only fields in {under} are read, not {examples(beside)} beside it."] if beside else []
    notes += [f"Column(s) {examples(objects)} contain objects, whose fields are not read."] if objects else []
    notes += [flatten_it] if objects or (beside and not path) else []
    return [" ".join(notes)] if notes else []


def fields_beside(rows: Sequence[Row], under: str | None) -> list[str]:
    """Return the fields beside the one that contains the columns."""
    return [column.name for column in profiles([row for row in rows if under in row]) if column.name != under]


def _is_nested(row: Row) -> bool:
    return any(isinstance(value, dict) or is_list_of_objects(value) for value in row.values())


def _path_of_rows(rows: Sequence[Row], under: str | None) -> list[str]:
    """Return the path of fields to the list of a file's rows; empty if the file is that list."""
    if under and any(isinstance(row.get(under), list) for row in rows):
        return [under]
    paths = [] if under or len(rows) != 1 else [*paths_to_lists(rows[0])]
    scores = {}
    for path in paths:
        columns = profiles([flatten_row(entry) for entry in objects_at(rows[0], path)])
        scores[max(map(text_score, columns), default=0.0)] = path
    return scores[max(scores)] if scores else []


def _advice(file: Path, path: Sequence[str]) -> str:
    command, target = flatten_command(file, path)
    return f"To read them, flatten the file with {command} and set init.file={target}; later files need the same."


def flatten(file: str, target: str, *path: str) -> None:
    """Write the rows of a file as flat JSON lines: each nested field becomes a column named by its path.

    `path` are the fields that lead to a list of rows. Raises a `DataError` if the file cannot be read, and a
    `FileExistsError` if the target exists.
    """
    with Path(target).open("xb") as out:
        for found in rows_of(Path(file)):
            # a broken row stays broken, so that it is reported when the flat file is read
            rows = (
                [found.row.raw] if isinstance(found.row, BrokenRow) else map(flatten_row, objects_at(found.row, path))
            )
            out.writelines(orjson.dumps(row, default=str) + b"\n" for row in rows)
