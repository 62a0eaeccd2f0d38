"""The condition that selects a dataset's messages: SQL on the raw columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from batch_nlp.dataset.conversion import is_missing
from batch_nlp.errors import DataError, SettingsError
from batch_nlp.storage.raw.lines import Row

_EXAMPLES = 'Examples: "inbound = \'True\'" or "TRY_CAST(score AS DOUBLE) > 3"; every column is text.'


class Where:
    """Selects the rows that are messages.

    `columns` are those named in the condition, in DuckDB SQL. They are text as in the source; JSON's true is ``true``.

    Raises
    ------
    SettingsError
        If the condition is invalid.
    """

    def __init__(self, condition: str) -> None:
        # no access to files or the network
        self._connection = duckdb.connect(config={"enable_external_access": False, "threads": 1})
        self.condition = condition
        self.columns = sorted(set(_names(self._parsed())))
        try:
            self(self._rows([]))
        except duckdb.Error as error:
            raise self._refusal(error) from error

    def _parsed(self) -> Any:
        # only parsed, not run
        statement = f"SELECT 1 FROM messages WHERE ({self.condition})"  # nosec B608
        found = self._connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [statement]).fetchall()
        parsed = json.loads(found[0][0])
        if parsed["error"] or len(parsed["statements"]) != 1:
            raise self._refusal(parsed.get("error_message", "not one condition"))
        return parsed["statements"][0]["node"]["where_clause"]

    def _refusal(self, error: object) -> SettingsError:
        reason = str(error).partition("\n")[0]
        return SettingsError(f"dataset.messages.where={self.condition}: {reason}. {_EXAMPLES}")

    def _rows(self, rows: list[Row]) -> pa.Table:
        return pa.table({name: pa.array([_text(row.get(name)) for row in rows], pa.string()) for name in self.columns})

    def __call__(self, table: pa.Table) -> NDArray[np.bool_]:
        """Return which rows of a table of texts meet the condition; null counts as false."""
        if not self.columns:
            raise self._refusal("the condition names no column")
        self._connection.register("messages", table)
        query = f"SELECT coalesce(({self.condition})::BOOLEAN, false) FROM messages"  # nosec B608
        found = self._connection.execute(query).fetchnumpy()
        return np.asarray(next(iter(found.values())), dtype=np.bool_)

    def keeps(self, rows: list[Row]) -> NDArray[np.bool_]:
        """Return which raw rows are messages; raise a `DataError` if the condition fails on a value."""
        try:
            return self(self._rows(rows))
        except duckdb.Error as error:
            reason = str(error).partition("\n")[0]
            raise DataError(
                f"dataset.messages.where={self.condition}: fails on a row ({reason}). Use TRY_CAST instead of CAST."
            ) from error


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if is_missing(value):
        return None
    return json.dumps(value, default=str) if isinstance(value, bool | list | dict) else str(value)


def _names(node: Any) -> Iterator[str]:
    """Yield the column names in a parsed condition."""
    if isinstance(node, dict):
        if node.get("type") == "COLUMN_REF":
            yield str(node["column_names"][-1])
        for below in node.values():
            yield from _names(below)
    elif isinstance(node, list):
        for below in node:
            yield from _names(below)
