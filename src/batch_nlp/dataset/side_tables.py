"""The side tables of a dataset: find their files, and convert them to parquet once."""

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
from batch_nlp.dataset.conversion import as_category, as_key, as_number, as_raw, readable
from batch_nlp.dataset.message_columns import is_message_file, names_of
from batch_nlp.dataset.parse_times import as_times
from batch_nlp.errors import DataError
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import Ledger, keeping_account
from batch_nlp.storage.quarantine import SOURCE_FILE, SOURCE_LINE
from batch_nlp.storage.raw.batches import read_batches
from batch_nlp.storage.raw.file_names import find_files, source_name, table_name
from batch_nlp.storage.raw.set_aside import split_allowed, unusable
from batch_nlp.storage.seal import check_file, sealed_writer

_SOURCES_KEY = b"batch_nlp.sources"
# Problems named in one error
_TOLD = 5
# Roles of the columns that are added to a message
KEPT = (Role.category, Role.number, Role.raw)


def table_files(dataset: DatasetConfig, table: SideTableConfig, inbox: Path) -> list[Path]:
    """Return the files of a side table; a file whose name also matches the messages is a message file.

    Raises a `DataError` if a name matches two side tables, or a file must not be opened: an incomplete table would give
    wrong features, so its files are never set aside.
    """
    found: list[Path] = []
    for folder in (Path(dataset.raw_dir), inbox):
        files = find_files(folder, table.files)
        others = [file for file in files if not is_message_file(table_name(file, folder), dataset)]
        allowed, refused = split_allowed(others, folder, dataset.follow_links)
        if refused:
            raise DataError(" ".join(file.problem for file in refused[:_TOLD]))
        found += allowed
    for file in found:
        name = table_name(file, inbox if inbox in file.parents else Path(dataset.raw_dir))
        fits = [other.name for other in dataset.side_tables if fnmatch(name, other.files + ".*")]
        if len(fits) > 1:
            raise DataError(
                f"{file}: the name matches the side tables {' and '.join(fits)}. Rename the file, or change `files` in "
                "dataset.side_tables."
            )
    return found


def side_table_files(dataset: DatasetConfig, inbox: Path) -> dict[str, list[Path]]:
    """Return table name -> files, as in `table_files`."""
    return {table.name: table_files(dataset, table, inbox) for table in dataset.side_tables}


def columns_read(table: SideTableConfig) -> dict[str, ColumnConfig]:
    """Return the columns of a table that are read besides its key."""
    return {name: column for name, column in table.columns.items() if column.role is not Role.ignore}


def table_schema(table: SideTableConfig, sources: str) -> pa.Schema:
    """Return the schema of a table in ``02_intermediate``; `sources` is the digest of what it was read from."""
    types = {Role.number: pa.float64(), Role.time: pa.timestamp("us", tz="UTC")}
    columns = {name: types.get(column.role, pa.string()) for name, column in columns_read(table).items()}
    places = {SOURCE_FILE: pa.string(), SOURCE_LINE: pa.int64()}
    return pa.schema({table.key: pa.string(), **columns, **places}, {_SOURCES_KEY: sources.encode()})


def unusable_side_tables(
    dataset: DatasetConfig, files_of_tables: Mapping[str, Sequence[Path]], layers: Layers
) -> str | None:
    """Return an error message about unusable files of side tables that must be read again; None if all can be used.

    An incomplete table would give wrong features, so its files are never set aside.
    """
    found = []
    for table in dataset.side_tables:
        files = files_of_tables[table.name]
        if files and not _is_read(layers.intermediate / f"{table.name}.parquet", _schema_of(files, table)):
            found += [(table.name, wrong.problem) for file in files if (wrong := unusable(file))]
    if not found:
        return None
    return (
        f"{len(found):,} file(s) of the side table(s) {', '.join(dict.fromkeys(name for name, _ in found))} cannot be "
        f"used: {' '.join(problem for _, problem in found[:_TOLD])} Messages would get wrong features, so nothing was "
        "read. Repair, replace or remove the files."
    )


def prepare_side_table(
    dataset: DatasetConfig, table: SideTableConfig, inbox: Path, layers: Layers, engine: EngineConfig
) -> Path | None:
    """Convert a side table from ``01_raw`` and the inbox to parquet in ``02_intermediate``, unless that is up to date.

    Returns
    -------
    Path or None
        The parquet file; None (with a warning) if the source has no such table.
    """
    files = table_files(dataset, table, inbox)
    target = layers.intermediate / f"{table.name}.parquet"
    if not files:
        check_file(target, whole=target.exists())
        if target.exists():
            logger.warning("No {} file in {}; the table read before is used", table.name, dataset.raw_dir)
            return target
        logger.warning(
            "No {} file ({}) in {}: the fields of this table stay empty", table.name, table.files, dataset.raw_dir
        )
        return None
    schema = _schema_of(files, table)
    if _is_sound(target) and _is_read(target, schema):
        return target
    quarantine = layers.intermediate / "quarantine"
    with keeping_account(quarantine) as ledger:
        with sealed_writer(target, schema) as writer:
            for rows in _rows(files, table, engine.batch_rows, ledger):
                writer.write_table(pa.Table.from_pandas(rows, schema=schema, preserve_index=False))
            ledger.check_accounts()
        ledger.write_quarantine(quarantine / f"{table.name}.parquet")
    logger.info("{} table: {:,} rows from {} file(s)", table.name, ledger.done, len(files))
    return target


def _schema_of(files: Sequence[Path], table: SideTableConfig) -> pa.Schema:
    """Return the schema of a table read from the present files with the present settings."""
    states = [(source_name(file), file.stat()) for file in files]
    content = [f"{name}:{state.st_size}:{state.st_mtime_ns}" for name, state in states]
    content += map(repr, table.columns.items())
    return table_schema(table, hashlib.sha256("\n".join(content).encode()).hexdigest())


def _is_read(target: Path, schema: pa.Schema) -> bool:
    try:
        return bool(pq.read_schema(target).equals(schema, check_metadata=True))
    except (OSError, pa.ArrowException):  # missing or damaged: it is made again
        return False


def _is_sound(table: Path) -> bool:
    """Say whether a table exists and is undamaged; log damage."""
    if not table.exists():
        return False
    try:
        check_file(table)
    except DataError as error:
        logger.warning("{} The table is made again from 01_raw.", error)
        return False
    return True


def _rows(files: Sequence[Path], table: SideTableConfig, batch_rows: int, ledger: Ledger) -> Iterator[pd.DataFrame]:
    # undeclared columns of these tables are aggregates or useless, so they bring no warning
    times = names_of(table.columns, Role.time)
    columns = columns_read(table)
    for batch in read_batches(files, [table.key], list(columns), batch_rows):
        ledger.receive(batch)
        rows = batch.rows
        rows[table.key] = readable(rows[table.key], as_key)[0]
        for name, column in columns.items():
            rows[name] = typed(rows[name], column) if column.role in KEPT else as_times(rows[name], column)
        lost = pd.Series(False, rows.index)
        for name in (table.key, *times):
            missing = rows[name].isna() & ~lost
            if missing.any():
                ledger.quarantine(rows[missing], "extract", f"{name} is missing", name, rows[name][missing])
            lost |= missing
        ledger.done += int((~lost).sum())
        yield rows[~lost]


def typed(values: pd.Series[Any], column: ColumnConfig) -> pd.Series[Any]:
    """Convert raw values by role: categories and raw values to text (None), numbers to float64 (NaN)."""
    if column.role is Role.number:
        return pd.Series([as_number(value, column.format) for value in values], values.index, float)
    return readable(values, as_category if column.role is Role.category else as_raw)[0]
