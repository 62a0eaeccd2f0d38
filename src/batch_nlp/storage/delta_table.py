"""Sealed Delta tables: the seal in a table's folder holds the hash of every file of the table.

A commit takes four steps: the data file is written under a name that no version uses yet; the seal takes in its hash;
Delta commits the file; the seal takes in Delta's log. After a kill at any step, the table is what it was before or what
it was to become. Only the newest entries of Delta's log can lack a hash: they are read whole instead, and the next
writer seals them. The same holds for tables of earlier releases, which had no seals.

Nothing is read from a table before its files have been hashed, once per process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError
from loguru import logger

from batch_nlp.errors import DataError
from batch_nlp.storage.atomic import replacing, sync_file, sync_folder
from batch_nlp.storage.delta_files import (
    HINT,
    HOOKS,
    LOG,
    commit,
    content_version,
    data_files,
    file_name,
    is_table,
    log_damage,
    log_files,
    log_version,
    of_log,
)
from batch_nlp.storage.parquet import parquet_writer
from batch_nlp.storage.problem import DamageError, Problem
from batch_nlp.storage.seal import Hashes, Seal, damage, hash_of, remember

# Delta ignores names that start with an underscore
SEAL_FILE = "_seal.json"
_RESEAL = "Restore it from a backup, or remove it: the table is then read whole to check it."
_ATTEMPTS = 3


def _seal(folder: Path) -> Seal:
    return Seal(folder / SEAL_FILE, _RESEAL)


def advice(folder: Path) -> str:
    """Say what to do about a damaged file of a table."""
    return (
        f"Restore it from a backup, or remove the folder {folder}: the next pipeline=feature then reads all of 01_raw "
        "again."
    )


def _open(folder: Path, version: int | None = None) -> DeltaTable:
    try:
        return DeltaTable(str(folder), version=version)
    except (DeltaError, OSError, ValueError) as error:
        what = "the table" if version is None else f"version {version} of the table"
        raise DamageError(Problem(folder, f"{what} cannot be opened ({error})", advice(folder))) from error


def _problems(folder: Path, version: int | None = None) -> Iterator[Problem]:
    try:
        hashes = _seal(folder).read()
        found = False
        # Delta only opens a table whose log is sound
        for path, what in _log_damage(folder, hashes):
            found = True
            yield Problem(folder / path, what, advice(folder))
        if found or not is_table(folder):
            return
        data = data_files(_open(folder))
        if version is not None:
            data = sorted({*data, *data_files(_open(folder, version))})
    except DamageError as error:
        yield error.problem
        return
    # hashing releases Python's global lock
    with ThreadPoolExecutor() as pool:
        told = pool.map(lambda path: damage(folder / path, hashes.get(path, [])), data)
        yield from (Problem(folder / path, what, advice(folder)) for path, what in zip(data, told, strict=True) if what)


def _log_damage(folder: Path, hashes: Hashes) -> Iterator[tuple[str, str]]:
    present, sealed = log_files(folder), {path: found for path, found in hashes.items() if of_log(path)}
    new = [path for path in present if path not in sealed]
    # Delta removes log entries that a checkpoint covers
    checkpoint = max((log_version(path) for path in present if path.endswith(".parquet")), default=-1)
    for path, expected in sealed.items():
        if path not in present and log_version(path) <= checkpoint and path.endswith(".json"):
            continue
        what = damage(folder / path, expected)
        if what and path.endswith(HINT) and new:  # a checkpoint was written after the seal
            what = log_damage(folder / path)
        if what:
            yield path, what
    for path in new:
        if what := log_damage(folder / path):
            yield path, what


def problems(folder: Path) -> list[Problem]:
    """Return what is wrong with the files of a table; nothing is written."""
    return list(_problems(folder))


def check(folder: Path, version: int | None = None) -> None:
    """Check all files of a table, and of an earlier version; files that were checked before are not read again.

    Raises a `DamageError` if a file is missing or damaged.
    """
    file = folder / SEAL_FILE
    for attempt in range(1, _ATTEMPTS + 1):
        before = file.read_bytes() if file.exists() else b""
        found = next(_problems(folder, version), None)
        if found is None:
            return
        # readers take no lock: a commit may have come in between
        if attempt == _ATTEMPTS or before == (file.read_bytes() if file.exists() else b""):
            raise DamageError(found)


def open_table(folder: Path, version: int | None = None) -> DeltaTable | None:
    """Return a version of a table, the newest by default, after checking its files; None if there is no table.

    Raises a `DamageError` if a file is missing or damaged, or the version does not exist.
    """
    check(folder, version)
    return _open(folder, version) if is_table(folder) else None


def append(folder: Path, rows: pa.Table, note: dict[str, str]) -> None:
    """Add rows to a table, creating it if needed, in one commit with a note; only the holder of the lock may.

    Raises a `DataError` if the table is damaged, or has other columns.
    """
    table = open_table(folder)
    schema = Schema.from_arrow(rows.schema)
    if table is not None and table.schema() != schema:
        raise DataError(
            f"{folder}: the columns of the new rows, or their types, differ from the table's; no rows were added."
        )
    commit_file(folder, table, schema, [rows], note)


def commit_file(
    folder: Path,
    table: DeltaTable | None,
    schema: Schema,
    rows: Iterable[pa.Table],
    note: dict[str, str],
    merged: Sequence[str] = (),
) -> None:
    """Add rows to a checked table as one data file in one commit, which also drops the files that it merges."""
    version = -1 if table is None else table.version()
    hashes = _hashes(folder, table)
    # a run after a kill uses the same name: nothing is left over
    file = folder / file_name(version + 1, content_version(table) if table is not None and merged else None)
    number = 0
    with replacing(file) as temporary:
        with parquet_writer(temporary, pa.schema(schema)) as writer:
            for part in rows:
                writer.write_table(part)
                number += part.num_rows
        hashes[file.name] = [hash_of(temporary)]
        _seal(folder).write(hashes)
    remember(file, *hashes[file.name])
    commit(folder, table, schema, file, number, note, merged)
    _seal(folder).write(_hashes(folder, _open(folder), hashes))


def take_back(folder: Path, version: int) -> None:
    """Restore an earlier version of a table (-1: without rows) in one commit; only the holder of the lock may."""
    table = open_table(folder)
    if table is None or table.version() == version:
        return
    if version < 0:
        table.delete(post_commithook_properties=HOOKS)
    else:
        table.restore(version)
    _seal(folder).write(_hashes(folder, _open(folder)))


def add_columns(folder: Path, schema: pa.Schema) -> None:
    """Add the columns of a schema that a table lacks, null in its rows; only the holder of the lock may."""
    table = open_table(folder)
    if table is None:
        return
    present = {column.name for column in table.schema().fields}
    lacking = [column for column in Schema.from_arrow(schema).fields if column.name not in present]
    if lacking:
        table.alter.add_columns(lacking)
        _seal(folder).write(_hashes(folder, _open(folder)))


def keep_only(folder: Path, table: DeltaTable, kept: set[str]) -> list[str]:
    """Drop all files but some from the seal, and return those of the table's folder that can be removed now."""
    hashes = _hashes(folder, table)
    _seal(folder).write({path: found for path, found in hashes.items() if path in kept})
    return sorted({*hashes, *(path.name for path in folder.glob("[!.]*.parquet"))} - kept)


def seal(folder: Path) -> bool:
    """Seal what a killed run, or an earlier release, left without a seal; return whether there was anything to seal.

    Only the holder of the lock may.
    """
    table = open_table(folder)
    if table is None:
        return False
    hashes = _hashes(folder, table)
    if (folder / SEAL_FILE).exists() and set(hashes) <= set(_seal(folder).read()):
        return False
    _seal(folder).write(hashes)
    return True


def _hashes(folder: Path, table: DeltaTable | None, known: Hashes | None = None) -> Hashes:
    """Return the hashes of all files of a checked table, computing only those that are not known."""
    if table is None:
        return {}
    if known is None:
        known = _seal(folder).read()
        if not (folder / SEAL_FILE).exists():
            logger.info("{}: an earlier release wrote it without a seal; it was read whole and is now sealed", folder)
    sync_folder(folder / LOG)
    # files that only earlier versions use
    hashes = {path: found for path, found in known.items() if not of_log(path) and (folder / path).exists()}
    for path in [*log_files(folder), *data_files(table)]:
        # the hint changes with every checkpoint
        if path in known and not path.endswith(HINT):
            hashes[path] = known[path]
        else:
            sync_file(folder / path)
            hashes[path] = [hash_of(folder / path)]
            remember(folder / path, *hashes[path])
    return hashes
