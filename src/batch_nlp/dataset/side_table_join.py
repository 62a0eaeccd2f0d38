"""Join messages with side tables, out of core and as of the message's time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from loguru import logger

from batch_nlp.config import Role, SideTableConfig
from batch_nlp.dataset.message_columns import Joined, key_field, names_of
from batch_nlp.dataset.side_tables import KEPT, columns_read, table_schema

# A time after all others, in the year 2262 (microseconds)
_LAST = 2**63 // 1000


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class SideTables:
    """Side tables in a database, which contains them during the run, joined with each batch."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, joined: Sequence[Joined], files: dict[str, Path | None]
    ) -> None:
        self._connection, self._joined = connection, list(joined)
        self._asked, self._found = 0, [0] * len(self._joined)
        for table in {one.table.name: one.table for one in joined}.values():
            self._load(table, files[table.name])

    def __deepcopy__(self, memo: object) -> Self:
        """Return itself: a cloned step belongs to the same run."""
        return self

    def _load(self, table: SideTableConfig, path: Path | None) -> None:
        times = names_of(table.columns, Role.time)
        name, unique = _quoted(f"side_{table.name}"), ", ".join(map(_quoted, [table.key, *times]))
        empty = table_schema(table, "").empty_table()
        self._connection.register("source", empty if path is None else self._connection.read_parquet(str(path)))
        columns = ", ".join(map(_quoted, dict.fromkeys([table.key, *columns_read(table)])))
        # the first of several rows per key (and time) counts
        self._connection.execute(
            f"CREATE TABLE {name} AS SELECT {columns} FROM source "  # nosec B608 names are quoted
            f"QUALIFY row_number() OVER (PARTITION BY {unique} ORDER BY source_file, source_line) = 1"
        )
        self._connection.unregister("source")

    def look_up(self, messages: pd.DataFrame) -> pd.DataFrame:
        """Return the fields that the side tables add to each message: ``<prefix>_<column>``, None or NaN if unknown.

        A table with a time gives the latest row up to the message's time, or the latest of all if the message has no
        time. The messages have `written_at` and the key columns, which may contain None.
        """
        if not self._joined:
            return pd.DataFrame(index=messages.index)
        keys = {
            f"key{number}": pa.array(messages[key_field(one.key)], pa.string())
            for number, one in enumerate(self._joined)
        }
        # a message without a time comes after all rows
        at = pa.array(messages["written_at"].astype("int64").where(messages["written_at"].notna(), _LAST), pa.int64())
        batch = {"position": pa.array(np.arange(len(messages))), "at": at.cast(pa.timestamp("us", tz="UTC")), **keys}
        self._connection.register("keys", pa.table(batch))
        selected = [f"t{number}.{_quoted(one.table.key)} IS NOT NULL" for number, one in enumerate(self._joined)]
        tables = []
        for number, one in enumerate(self._joined):
            columns = [name for name, column in one.table.columns.items() if column.role in KEPT]
            selected += [f"t{number}.{_quoted(name)} AS {_quoted(f'{one.prefix}_{name}')}" for name in columns]
            same = f"keys.key{number} = t{number}.{_quoted(one.table.key)}"
            as_of = names_of(one.table.columns, Role.time)
            join = (
                f"ASOF LEFT JOIN {{}} t{number} ON {same} AND keys.at >= t{number}.{_quoted(as_of[0])}" if as_of else ""
            )
            table = _quoted(f"side_{one.table.name}")
            tables.append(join.format(table) if join else f"LEFT JOIN {table} t{number} ON {same}")
        query = f"SELECT {', '.join(selected)} FROM keys {' '.join(tables)} ORDER BY position"  # nosec B608
        found = self._connection.sql(query).to_arrow_table()
        self._connection.unregister("keys")
        self._asked += len(messages)
        there, columns = found.columns[: len(self._joined)], found.column_names[len(self._joined) :]
        self._found = [so_far + (pc.sum(one).as_py() or 0) for so_far, one in zip(self._found, there, strict=True)]
        types = {name: float if pa.types.is_floating(found.field(name).type) else object for name in columns}
        values = {name: pd.Series(found[name].to_numpy(), messages.index, types[name]) for name in columns}
        return pd.DataFrame(values, index=messages.index)

    def log(self) -> None:
        """Log how many messages found a row by each key; a warning if none did."""
        for one, found in zip(self._joined, self._found, strict=True):
            level = "INFO" if found or not self._asked else "WARNING"
            message = "{} of {} messages found a row in the {} table by {}"
            logger.log(level, message, f"{found:,}", f"{self._asked:,}", one.table.name, one.key)
