"""The side tables of a dataset: which files they are in, and how these are read once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from loguru import logger

from batch_nlp.config import ColumnConfig, DatasetConfig, EngineConfig, Role, SideTableConfig
from batch_nlp.dataset.columns import is_message_file, names_of
from batch_nlp.dataset.times import as_times
from batch_nlp.dataset.values import UNREADABLE, as_category, as_key, as_number, as_raw, readable
from batch_nlp.errors import DataError
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import Ledger, keeping_account
from batch_nlp.storage.raw import SOURCE_FILE, SOURCE_LINE, find_files, read_batches
from batch_nlp.storage.raw_names import source_name, table_name
from batch_nlp.storage.raw_readable import sorted_out, unusable
from batch_nlp.storage.seal import check_file, replacing_sealed

_SOURCES_KEY = b"batch_nlp.sources"
# Problems that a person reads at once
_TOLD = 5
# Roles of the columns that a message gets
KEPT = (Role.category, Role.number, Role.raw)


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


def columns_read(table: SideTableConfig) -> dict[str, ColumnConfig]:
    """Return the columns of a table that are read beside its key."""
    return {name: column for name, column in table.columns.items() if column.role is not Role.ignore}


def table_schema(table: SideTableConfig, sources: str) -> pa.Schema:
    """Return the schema of a table in ``02_intermediate``; `sources` says what it was read from."""
    types = {Role.number: pa.float64(), Role.time: pa.timestamp("us", tz="UTC")}
    columns = {name: types.get(column.role, pa.string()) for name, column in columns_read(table).items()}
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
    return table_schema(table, hashlib.sha256("\n".join(content).encode()).hexdigest())


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
    columns = columns_read(table)
    for batch in read_batches(files, [table.key], list(columns), batch_rows):
        ledger.receive(batch)
        rows = batch.rows
        rows[table.key] = _column(rows[table.key], as_key)
        for name, column in columns.items():
            rows[name] = typed(rows[name], column) if column.role in KEPT else as_times(rows[name], column)
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
