"""Nested JSON: find the rows inside it, and flatten them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from batch_nlp.config.commands import python_command
from batch_nlp.storage.raw.file_names import ending_of
from batch_nlp.storage.raw.lines import BrokenRow, Numbered, Row

# Maximum nesting depth of a column
_DEEPEST = 8


def flatten_row(row: Row, deepest: int = _DEEPEST) -> Row:
    """Return a row with the fields of its objects as columns; a list of objects gives lists.

    Examples
    --------
    >>> flatten_row({"id": 1, "source": {"by": {"name": "A"}}, "tags": [{"name": "x"}, {"name": "y"}]})
    {'id': 1, 'source.by.name': 'A', 'tags.name': ['x', 'y']}
    """
    found: Row = {}
    for name, value in row.items():
        if isinstance(value, dict) and deepest:
            found |= {f"{name}.{inner}": part for inner, part in flatten_row(value, deepest - 1).items()}
        elif is_list_of_objects(value) and deepest:
            parts = chain.from_iterable(flatten_row(entry, deepest - 1).items() for entry in value)
            for inner, part in parts:
                found.setdefault(f"{name}.{inner}", []).extend(part if isinstance(part, list) else [part])
        else:
            found[name] = value
    return found


def is_list_of_objects(value: object) -> bool:
    """Say whether a value is a list of objects."""
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)


def paths_to_lists(row: Row, above: Sequence[str] = ()) -> Iterator[list[str]]:
    """Yield the path of field names to each list of objects in a row."""
    for name, value in row.items():
        if isinstance(value, dict) and len(above) < _DEEPEST:
            yield from paths_to_lists(value, [*above, name])
        elif is_list_of_objects(value):
            yield [*above, name]


def objects_at(row: Row, path: Sequence[str]) -> list[Row]:
    """Return the objects at a path of field names."""
    value: Any = row
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return [entry for entry in (value if isinstance(value, list) else [value]) if isinstance(entry, dict)]


def flatten_command(file: Path, path: Sequence[str]) -> tuple[str, Path]:
    """Return the command that flattens the rows at a path, and the file that it writes."""
    target = file.with_name(f"{file.name[: len(file.name) - len(ending_of(file.name))]}_flat.jsonl")
    arguments = ", ".join(json.dumps(str(argument)) for argument in (file, target, *path))
    code = f"from batch_nlp.onboarding.nested_columns import flatten; flatten({arguments})"
    return python_command(code), target


def unwrap(row: Row, under: str | None) -> Row:
    """Return the object that holds a row's columns: the field `under`, or the row itself."""
    found = row.get(under) if under else None
    return found if isinstance(found, dict) else row


def expand_lists(rows: Iterator[Numbered], under: str | None) -> Iterator[Numbered]:
    """Yield each object of a list in the field `under` as a row of its own; other rows as they are."""
    for found in rows:
        listed = found.row.get(under) if under and isinstance(found.row, dict) else None
        if not isinstance(listed, list):
            yield found
            continue
        for number, entry in enumerate(listed, 1):
            broken = BrokenRow(number, "not a JSON object", str(entry))
            yield Numbered(number, entry if isinstance(entry, dict) else broken, found.size // len(listed))
