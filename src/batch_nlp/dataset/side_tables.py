"""The side tables of a dataset: read once, joined to each batch out of core, as of the time of the message."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Self

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from loguru import logger

from batch_nlp.config import ColumnConfig, DatasetConfig, EngineConfig, Role, SideTableConfig
from batch_nlp.dataset.columns import Joined, is_message_file, key_field, names_of
from batch_nlp.dataset.times import as_times
from batch_nlp.dataset.values import UNREADABLE, as_category, as_key, as_number, as_raw, readable
from batch_nlp.errors import DataError
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import Ledger, keeping_account
from batch_nlp.storage.raw import SOURCE_FILE, SOURCE_LINE, find_files, read_batches
from batch_nlp.storage.raw_names import source_name, table_name
from batch_nlp.storage.raw_readable import sorted_out, unusable
from batch_nlp.storage.sealed_files import check_file, replacing_sealed

_SOURCES_KEY = b"batch_nlp.sources"
# Microseconds of a time after all others, in the year 2262
_LAST = 2**63 // 1000
# Problems that a person reads at once
_TOLD = 5
_KEPT = (Role.category, Role.number, Role.raw)


def file_identity(file: Path) -> str:
    """Return what tells whether a file has changed: name, size and time of change."""
    status = file.stat()
    return f"{source_name(file)}:{status.st_size}:{status.st_mtime_ns}"


def table_files(dataset: DatasetConfig, table: SideTableConfig, inbox: Path) -> list[Path]:
    """Return the files of a side table; one whose name fits the messages too is a file of messages.

    Raises
    ------
    DataError
        If the name of a file fits two side tables, or a file must not be opened. Without one of its files a table would
        say too little of messages, so none is set aside.
    """
    found: list[Path] = []
    for folder in (Path(dataset.raw_dir), inbox):
        files = find_files(folder, table.files)
        others = [file for file in files if not is_message_file(table_name(file, folder), dataset)]
        allowed, refused = sorted_out(others, folder, dataset.follow_links)
        if refused:
            raise DataError(" ".join(file.problem for file in refused[:_TOLD]))
        found += allowed
    for file in found:
        name = table_name(file, inbox if inbox in file.parents else Path(dataset.raw_dir))
        fits = [other.name for other in dataset.side_tables if fnmatch(name, other.files + ".*")]
        if len(fits) > 1:
            raise DataError(
                f"{file}: its name fits the side tables {' and '.join(fits)}. Rename it, or make dataset.side_tables "
                "tell them apart by files."
            )
    return found


def side_table_files(dataset: DatasetConfig, inbox: Path) -> dict[str, list[Path]]:
    """Return the files of each side table, as `table_files` does, by the table's name."""
    return {table.name: table_files(dataset, table, inbox) for table in dataset.side_tables}


def _read(table: SideTableConfig) -> dict[str, ColumnConfig]:
    return {name: column for name, column in table.columns.items() if column.role is not Role.ignore}


def _schema(table: SideTableConfig, sources: str) -> pa.Schema:
    types = {Role.number: pa.float64(), Role.time: pa.timestamp("us", tz="UTC")}
    columns = {name: types.get(column.role, pa.string()) for name, column in _read(table).items()}
    places = {SOURCE_FILE: pa.string(), SOURCE_LINE: pa.int64()}
    return pa.schema({table.key: pa.string(), **columns, **places}, {_SOURCES_KEY: sources.encode()})


def unusable_side_tables(
    dataset: DatasetConfig, files_of_tables: Mapping[str, Sequence[Path]], layers: Layers
) -> str | None:
    """Say which files of side tables cannot be used, of tables that are not read yet as their files are; None: none.

    Without one of its files a table would say too little of messages, so none is set aside.
    """
    found = []
    for table in dataset.side_tables:
        files = files_of_tables[table.name]
        if files and not _is_read(layers.intermediate / f"{table.name}.parquet", _schema_of(files, table)):
            found += [(table.name, wrong.problem) for file in files if (wrong := unusable(file))]
    if not found:
        return None
    return (
        f"{len(found):,} file(s) of side tables cannot be used, and without them messages would get other features: "
        f"{' '.join(problem for _, problem in found[:_TOLD])} Nothing is read until they are repaired, replaced, or "
        f"removed for messages to go without them ({', '.join(dict.fromkeys(name for name, _ in found))})."
    )


def prepare_side_table(
    dataset: DatasetConfig, table: SideTableConfig, inbox: Path, layers: Layers, engine: EngineConfig
) -> Path | None:
    """Bring a side table from ``01_raw`` to ``02_intermediate``, unless it is there already.

    Parameters
    ----------
    dataset : DatasetConfig
        Where the raw files are.
    table : SideTableConfig
        One of its side tables.
    inbox : Path
        Where files of the table may have come along with new messages.
    layers : Layers
        Where the result goes.
    engine : EngineConfig
        Size of the batches.

    Returns
    -------
    Path or None
        The parquet file, None (with a warning) where the source has no such table.
    """
    files = table_files(dataset, table, inbox)
    target = layers.intermediate / f"{table.name}.parquet"
    if not files:
        check_file(target, whole=target.exists())
        if target.exists():
            logger.warning("No {} file in {}; the one read before is used", table.name, dataset.raw_dir)
            return target
        logger.warning(
            "No {} file ({}) in {}: what it says of a message stays empty", table.name, table.files, dataset.raw_dir
        )
        return None
    schema = _schema_of(files, table)
    if _is_sound(target) and _is_read(target, schema):
        return target
    quarantine = layers.intermediate / "quarantine"
    with keeping_account(quarantine) as ledger:
        with (
            replacing_sealed(target) as temporary,
            pq.ParquetWriter(temporary, schema, compression="zstd", write_page_checksum=True) as writer,
        ):
            for rows in _rows(files, table, engine.batch_rows, ledger):
                writer.write_table(pa.Table.from_pandas(rows, schema=schema, preserve_index=False))
            ledger.check_accounts()
        ledger.write_quarantine(quarantine / f"{table.name}.parquet")
    logger.info("{} table: {:,} rows from {} file(s)", table.name, ledger.done, len(files))
    return target


def _schema_of(files: Sequence[Path], table: SideTableConfig) -> pa.Schema:
    """Return the schema that a table has when it was read from files as they are, and as it is declared."""
    content = [*map(file_identity, files), *map(repr, table.columns.items())]
    return _schema(table, hashlib.sha256("\n".join(content).encode()).hexdigest())


def _is_read(target: Path, schema: pa.Schema) -> bool:
    try:
        return bool(pq.read_schema(target).equals(schema, check_metadata=True))
    except (OSError, pa.ArrowException):  # is gone or damaged, and made again
        return False


def _is_sound(table: Path) -> bool:
    """Say whether a table is there and undamaged; a damaged one is told, and can be made again."""
    if not table.exists():
        return False
    try:
        check_file(table)
    except DataError as error:
        logger.warning("{} Here it is made again from 01_raw.", error)
        return False
    return True


def _rows(files: Sequence[Path], table: SideTableConfig, batch_rows: int, ledger: Ledger) -> Iterator[pd.DataFrame]:
    # whatever else these tables have is an aggregate or of no use, so an unknown column is no news
    times = names_of(table.columns, Role.time)
    columns = _read(table)
    for batch in read_batches(files, [table.key], list(columns), batch_rows):
        ledger.receive(batch)
        rows = batch.rows
        rows[table.key] = _column(rows[table.key], as_key)
        for name, column in columns.items():
            rows[name] = typed(rows[name], column) if column.role in _KEPT else as_times(rows[name], column)
        lost = pd.Series(False, rows.index)
        for name in (table.key, *times):
            missing = (rows[name].isna() | rows[name].map(lambda value: value is UNREADABLE)) & ~lost
            if missing.any():
                ledger.quarantine(rows[missing], "extract", f"{name} is missing", name, rows[name][missing])
            lost |= missing
        ledger.done += int((~lost).sum())
        yield rows[~lost]


def _column(values: pd.Series[Any], read: Any) -> pd.Series[Any]:
    return pd.Series([read(value) for value in values], values.index, object)


def typed(values: pd.Series[Any], column: ColumnConfig) -> pd.Series[Any]:
    """Return raw values as categories and raw ones (text, None) or numbers (float64, NaN), by their role."""
    if column.role is Role.number:
        return pd.Series([as_number(value, column.format) for value in values], values.index, float)
    return readable(values, as_category if column.role is Role.category else as_raw)[0]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class SideTables:
    """Side tables in a database, for the join with each batch.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds the tables while the run lasts.
    joined : sequence of Joined
        What the keys of the messages join.
    files : mapping of str to Path or None
        By name of the table, what `prepare_side_table` returned.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, joined: Sequence[Joined], files: dict[str, Path | None]
    ) -> None:
        self._connection, self._joined = connection, list(joined)
        self._asked, self._found = 0, [0] * len(self._joined)
        for table in {one.table.name: one.table for one in joined}.values():
            self._load(table, files[table.name])

    def __deepcopy__(self, memo: object) -> Self:
        """Return itself: a step that is cloned belongs to the same run."""
        return self

    def _load(self, table: SideTableConfig, path: Path | None) -> None:
        times = names_of(table.columns, Role.time)
        name, unique = _quoted(f"side_{table.name}"), ", ".join(map(_quoted, [table.key, *times]))
        empty = _schema(table, "").empty_table()
        self._connection.register("source", empty if path is None else self._connection.read_parquet(str(path)))
        columns = ", ".join(map(_quoted, dict.fromkeys([table.key, *_read(table)])))
        # of two rows for one key (and time) the first counts
        self._connection.execute(
            f"CREATE TABLE {name} AS SELECT {columns} FROM source "  # nosec B608 names are quoted
            f"QUALIFY row_number() OVER (PARTITION BY {unique} ORDER BY source_file, source_line) = 1"
        )
        self._connection.unregister("source")

    def look_up(self, messages: pd.DataFrame) -> pd.DataFrame:
        """Return what the side tables say of each message.

        Parameters
        ----------
        messages : DataFrame, shape (n, ...)
            With the key columns, which may hold None, and `written_at`.

        Returns
        -------
        DataFrame, shape (n, n_columns)
            ``<prefix>_<column>`` with the index of `messages`: text, or float64 for numbers; None or NaN where nothing
            is known. Of a table with a time, the latest row that is not after the message; the latest of all for a
            message without a time.
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
            columns = [name for name, column in one.table.columns.items() if column.role in _KEPT]
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
        """Log how many messages each key joined with a row; if none did, as a warning."""
        for one, found in zip(self._joined, self._found, strict=True):
            level = "INFO" if found or not self._asked else "WARNING"
            message = "{} of {} messages found their row in the {} table by {}"
            logger.log(level, message, f"{found:,}", f"{self._asked:,}", one.table.name, one.key)
