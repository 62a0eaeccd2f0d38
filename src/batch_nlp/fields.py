"""Fields: the named values with roles that steps compute for each message, and the schema of their tables.

Each step declares its fields. All code that reads features (store, imputer, drift tests, slices, explanations) selects
them by role; there is no list of names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pandas as pd
import pyarrow as pa

TEXT = "text"
# Columns of every row in the store besides its fields; split.by=group keeps a `group` together
KEYS = (
    pa.field("message_id", pa.string()),
    pa.field("written_at", pa.timestamp("us", tz="UTC")),
    pa.field("text_hash", pa.string()),
    pa.field("group", pa.string()),
)


class FieldRole(StrEnum):
    """How a model uses a field."""

    NUMBER = "number"
    CATEGORY = "category"
    TEXT = "text"
    VECTOR = "vector"


_TYPES = {
    FieldRole.NUMBER: pa.float64(),
    FieldRole.CATEGORY: pa.string(),
    FieldRole.TEXT: pa.string(),
    FieldRole.VECTOR: pa.list_(pa.float32()),
}


@dataclass(frozen=True)
class Field:
    """A named value that a step computes for each message."""

    # Column name in the store
    name: str
    role: FieldRole
    # Whether a changed distribution means drift; for date parts it does not, since a batch is later than the hold-out
    drifts: bool = True


class Fields(tuple[Field, ...]):
    """The fields of a feature definition, in the order of its steps."""

    __slots__ = ()

    def of(self, *roles: FieldRole) -> list[str]:
        """Return the names of the fields that have one of the roles."""
        return [found.name for found in self if found.role in roles]

    @property
    def names(self) -> list[str]:
        """Names of all fields: the columns that a model gets."""
        return [found.name for found in self]

    @property
    def numbers(self) -> list[str]:
        """Names of the numbers (float64, NaN if unknown)."""
        return self.of(FieldRole.NUMBER)

    @property
    def categories(self) -> list[str]:
        """Names of the categories (text, None if unknown)."""
        return self.of(FieldRole.CATEGORY)

    @property
    def vectors(self) -> list[str]:
        """Names of the vectors (float32 arrays of equal length)."""
        return self.of(FieldRole.VECTOR)

    @property
    def schema(self) -> pa.Schema:
        """Schema of the feature store: `KEYS`, then one column per field."""
        return pa.schema([*KEYS, *(pa.field(found.name, _TYPES[found.role]) for found in self)])

    def to_list(self) -> list[dict[str, Any]]:
        """Return the fields as JSON values; `from_list` is the inverse."""
        return [{"name": found.name, "role": found.role.value, "drifts": found.drifts} for found in self]

    @classmethod
    def from_list(cls, values: Sequence[Mapping[str, Any]]) -> Fields:
        """Return the fields in a model's manifest."""
        return cls(Field(value["name"], FieldRole(value["role"]), value["drifts"]) for value in values)

    @classmethod
    def joined(cls, parts: Iterable[Iterable[Field]]) -> Fields:
        """Return the fields of several steps; a step that returns a field again only replaces its values."""
        found: dict[str, Field] = {}
        for part in parts:
            for one in part:
                found.setdefault(one.name, one)
        return cls(found.values())


def with_missing(features: pd.DataFrame, fields: Fields) -> pd.DataFrame:
    """Add the fields that a model needs and the messages lack, as NaN or None."""
    lacking = {
        found.name: float("nan") if found.role is FieldRole.NUMBER else None
        for found in fields
        if found.name not in features
    }
    return features.assign(**lacking) if lacking else features
