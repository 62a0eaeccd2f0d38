"""Step `extract`: turn raw rows into typed messages, and join the side tables."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from batch_nlp.config import ColumnConfig, Role
from batch_nlp.dataset.conversion import (
    UNREADABLE,
    as_key,
    as_raw,
    as_text,
    as_written,
    is_missing,
    normal_text,
    readable,
)
from batch_nlp.dataset.labels import Labels
from batch_nlp.dataset.message_columns import Joined, field_name, kept_field, key_field, names_of
from batch_nlp.dataset.parse_times import as_times
from batch_nlp.dataset.side_table_join import SideTables
from batch_nlp.dataset.side_tables import typed
from batch_nlp.fields import TEXT, Field, FieldRole
from batch_nlp.steps.base import StatelessStep
from batch_nlp.storage.ledger import Ledger
from batch_nlp.storage.quarantine import SOURCE_FILE, SOURCE_LINE

_FIELDS = {Role.number: FieldRole.NUMBER, Role.category: FieldRole.CATEGORY}


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(eq=False, repr=False)
class Extract(StatelessStep):
    """Turn raw rows into messages.

    Parameters
    ----------
    columns : mapping of str to ColumnConfig
        The source columns.
    joined : list of Joined
        Joins of the key columns, which `side_tables` performs.
    group : str or None
        Column whose values a split keeps together.
    ledger : Ledger or None
        Receives rows with unreadable values.
    kept_columns : sequence of str
        Source columns to copy to the predictions.
    """

    columns: Mapping[str, ColumnConfig]
    joined: list[Joined]
    group: str | None = None
    side_tables: SideTables | None = None
    labels: Labels | None = None
    ledger: Ledger | None = None
    kept_columns: Sequence[str] = ()

    def fields(self) -> tuple[Field, ...]:
        """Return the text, and the numbers and categories of the messages and of the side tables."""
        own = [(field_name(name, column), column) for name, column in self.columns.items()]
        theirs = [(f"{one.prefix}_{name}", column) for one in self.joined for name, column in one.table.columns.items()]
        roles = [(name, _FIELDS[column.role]) for name, column in [*own, *theirs] if column.role in _FIELDS]
        return (Field(TEXT, FieldRole.TEXT), *(Field(name, role) for name, role in roles))

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the messages whose values are readable.

        Parameters
        ----------
        X : DataFrame
            Raw rows: object columns, `source_file` and `source_line`.

        Returns
        -------
        DataFrame
            `message_id`, `text`, `text_hash`, `written_at` (UTC, microseconds), `target` (text, None without a label),
            `group`; key columns, categories, numbers, raw and copied columns; fields of the side tables; `source_file`,
            `source_line`. Missing values are None, NaN or NaT.
        """
        unreadable: dict[str, pd.Series[bool]] = {}
        messages = pd.DataFrame(index=X.index)
        messages["message_id"] = self._first(X, Role.id, as_key, unreadable)
        messages[TEXT] = self._text(X, unreadable)
        messages["written_at"] = self._times(X, unreadable)
        messages["target"] = None
        if self.labels is not None and self.labels.columns:
            messages["target"], wrong = self.labels.read(X)
            unreadable[", ".join(name for name in self.labels.columns if name in X)] = wrong
        for name in names_of(self.columns, Role.key):
            messages[key_field(name)] = self._column(X, name, as_key, unreadable)
        for name in names_of(self.columns, Role.number, Role.category, Role.raw):
            column = self.columns[name]
            messages[field_name(name, column)] = typed(_values(X, name), column)
        for name in self.kept_columns:
            written = [as_written(value) for value in _values(X, name)]
            messages[kept_field(name)] = pd.Series(written, X.index, object)
        group = None if self.group is None else [_group(value) for value in _values(X, self.group)]
        messages["group"] = pd.Series(group, X.index, object)
        messages[SOURCE_FILE], messages[SOURCE_LINE] = X[SOURCE_FILE], X[SOURCE_LINE]
        rejected = self._quarantined(X, messages, unreadable)
        if rejected.any():
            messages = messages[~rejected]
        normal = [normal_text(text) if isinstance(text, str) else None for text in messages[TEXT]]
        hashes = [None if text is None else _hash(text) for text in normal]
        messages.insert(2, "text_hash", pd.Series(hashes, messages.index, object))
        if not names_of(self.columns, Role.id):
            messages["message_id"] = self._content_ids(messages)
        return messages if self.side_tables is None else messages.join(self.side_tables.look_up(messages))

    def _quarantined(
        self, X: pd.DataFrame, messages: pd.DataFrame, unreadable: dict[str, pd.Series[bool]]
    ) -> pd.Series[bool]:
        """Quarantine rows with unreadable values, and return which rows they are."""
        rejected = pd.Series(False, index=X.index)
        for name, mask in unreadable.items():
            if not mask.any():
                continue
            rows = X[mask & ~rejected]
            if len(rows) and self.ledger is not None:
                raw = rows.assign(message_id=messages["message_id"][rows.index])
                values = rows[name] if name in rows else pd.Series("", rows.index)
                self.ledger.quarantine(raw, "extract", f"{name} cannot be read", name, values)
            rejected |= mask
        return rejected

    def _column(self, X: pd.DataFrame, name: str, read: Any, unreadable: dict[str, pd.Series[bool]]) -> pd.Series[Any]:
        values, wrong = readable(_values(X, name), read)
        unreadable[name] = wrong
        return values

    def _first(self, X: pd.DataFrame, role: Role, read: Any, unreadable: dict[str, pd.Series[bool]]) -> pd.Series[Any]:
        """Return the first value of several columns with the same role."""
        columns = [self._column(X, name, read, unreadable) for name in names_of(self.columns, role)]
        if len(columns) == 1:
            return columns[0].where(columns[0] != "", None)
        found = [next(filter(None, values), None) for values in zip(*columns, strict=True)]
        return pd.Series(found if columns else None, X.index, object)

    def _text(self, X: pd.DataFrame, unreadable: dict[str, pd.Series[bool]]) -> pd.Series[Any]:
        """Return the texts of each message, joined by line ends in the order of their columns."""
        parts = [self._column(X, name, as_text, unreadable) for name in names_of(self.columns, Role.text)]
        if len(parts) == 1:
            return parts[0]
        joined = [
            "\n".join(part for part in row if part) if any(part is not None for part in row) else None
            for row in zip(*parts, strict=True)
        ]
        return pd.Series(joined, X.index, object)

    def _times(self, X: pd.DataFrame, unreadable: dict[str, pd.Series[bool]]) -> pd.Series[Any]:
        found = pd.Series(pd.NaT, X.index, "datetime64[us, UTC]")
        for name in names_of(self.columns, Role.time):
            values = _values(X, name)
            values = values.mask(values.eq(""), None)
            times = as_times(values, self.columns[name])
            unreadable[name] = times.isna() & values.notna()
            found = found.where(found.notna(), times)
        return found

    def _content_ids(self, messages: pd.DataFrame) -> pd.Series[Any]:
        """Return ids for messages without one: equal text, time and keys make one message."""
        # without features: another feature definition must not change the ids
        keys = [messages[key_field(name)] for name in names_of(self.columns, Role.key)]
        # times as numbers, since pandas formats them depending on the batch
        values = (messages["written_at"].astype("int64"), *keys)
        # a message without a text still gets an id, and is refused later
        ids = [
            _hash("\x1f".join("" if is_missing(value) else str(value) for value in row))
            for row in zip(messages["text_hash"], *values, strict=True)
        ]
        return pd.Series(ids, messages.index, object)


def _group(value: Any) -> str | None:
    found = as_key(value)
    return (as_raw(value) if found is UNREADABLE else found) or None


def _values(X: pd.DataFrame, name: str) -> pd.Series[Any]:
    return X[name] if name in X else pd.Series(None, index=X.index, dtype=object)
