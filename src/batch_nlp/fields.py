"""What the steps make of a message: named fields with roles, and the tables that hold them.

A step declares the fields that it returns. Whatever reads features (the store's schema, the imputer, the drift tests,
slices, explanations) selects them by role; there is no list of names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pandas as pd
import pyarrow as pa

TEXT = "text"
# What every row of the store has beside its fields; `group` is what split.by=group keeps together
KEYS = (
    pa.field("message_id", pa.string()),
    pa.field("written_at", pa.timestamp("us", tz="UTC")),
    pa.field("text_hash", pa.string()),
    pa.field("group", pa.string()),
)


class FieldRole(StrEnum):
    """What a field is to a model."""

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
    """A named value that a step makes of each message.

    Parameters
    ----------
    name : str
        Its column in the store.
    role : FieldRole
    drifts : bool
        Whether another distribution in a batch than in the hold-out says something. A date part says nothing: a batch
        is always written at another time.
    """

    name: str
    role: FieldRole
    drifts: bool = True


class Fields(tuple[Field, ...]):
    """The fields of a feature definition, in the order of the steps that return them."""

    __slots__ = ()

    def of(self, *roles: FieldRole) -> list[str]:
        """Return the names of the fields with one of some roles."""
        return [found.name for found in self if found.role in roles]

    @property
    def names(self) -> list[str]:
        """The names of all fields: the columns that a model is given."""
        return [found.name for found in self]

    @property
    def numbers(self) -> list[str]:
        """Names of the numbers: float64, NaN where nothing is known."""
        return self.of(FieldRole.NUMBER)

    @property
    def categories(self) -> list[str]:
        """Names of the categories: text, None where nothing is known."""
        return self.of(FieldRole.CATEGORY)

    @property
    def vectors(self) -> list[str]:
        """Names of the vectors: float32 arrays of one length."""
        return self.of(FieldRole.VECTOR)

    @property
    def schema(self) -> pa.Schema:
        """Columns of the feature store: `KEYS`, then a column for each field."""
        return pa.schema([*KEYS, *(pa.field(found.name, _TYPES[found.role]) for found in self)])

    def to_list(self) -> list[dict[str, Any]]:
        """Return the fields as JSON values; `from_list` is the inverse."""
        return [{"name": found.name, "role": found.role.value, "drifts": found.drifts} for found in self]

    @classmethod
    def from_list(cls, values: Sequence[Mapping[str, Any]]) -> Fields:
        """Return the fields that a model was trained on, from its manifest."""
        return cls(Field(value["name"], FieldRole(value["role"]), value["drifts"]) for value in values)

    @classmethod
    def joined(cls, parts: Iterable[Iterable[Field]]) -> Fields:
        """Return the fields of several steps; a later step that returns a field again replaces its values alone."""
        found: dict[str, Field] = {}
        for part in parts:
            for one in part:
                found.setdefault(one.name, one)
        return cls(found.values())


def with_missing(features: pd.DataFrame, fields: Fields) -> pd.DataFrame:
    """Return features with the fields that a model needs and the messages lack: NaN, or None."""
    lacking = {
        found.name: float("nan") if found.role is FieldRole.NUMBER else None
        for found in fields
        if found.name not in features
    }
    return features.assign(**lacking) if lacking else features
