"""Delta tables that notice damage: a seal in the table's folder holds the SHA-256 of every file that it is made of.

A commit goes in four steps, and after a kill at any of them the table is what it was, or what it was to become: the
data file is written under a name that no version uses yet; the seal takes in its hash; Delta commits it; the seal takes
in Delta's log. So only the last entries of Delta's own log can be without a hash. They are read whole instead, and the
next writer seals them, as it does a table of a release that knew no seals.

Nothing is read from a table before its files have been hashed, once in a process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError
from loguru import logger

from batch_nlp.errors import DataError
from batch_nlp.storage.atomic import replacing, sync_folder
from batch_nlp.storage.delta_files import (
    HINT,
    HOOKS,
    LOG,
    commit,
    content_version,
    data_files,
    file_name,
    is_table,
    log_files,
    log_problem,
    log_version,
    of_log,
)
from batch_nlp.storage.seal import problem_of, read_sealed, remember, write_sealed, written

# Delta leaves alone what starts with an underscore
SEAL_FILE = "_seal.json"
_ATTEMPTS = 3


@dataclass(frozen=True)
class _Seal:
    # version of the table, -1 before the first
    version: int
    # path below the table's folder -> SHA-256
    files: dict[str, str]


def _read(folder: Path) -> _Seal | None:
    path = folder / SEAL_FILE
    if not path.exists():
        return None
    document = read_sealed(path, "Restore it from a backup, or remove it: the table is then read whole to check it.")
    return _Seal(document["version"], document["files"])


def _advice(folder: Path) -> str:
    return (
        f"Restore it from a backup, or remove the folder {folder}: the next pipeline=feature then takes in all of "
        "01_raw again."
    )


def _open(folder: Path, version: int | None = None) -> DeltaTable:
    try:
        return DeltaTable(str(folder), version=version)
    except (DeltaError, OSError, ValueError) as error:
        what = "the table" if version is None else f"version {version} of the table"
        raise DataError(f"{folder}: {what} cannot be opened ({error}). {_advice(folder)}") from error


def _problems(folder: Path, version: int | None = None) -> Iterator[str]:
    """Give what is wrong with a table, a sentence for each file; Delta only opens it if its log is sound."""
    try:
        seal = _read(folder)
        found = False
        for path, problem in _log_problems(folder, seal):
            found = True
            yield f"{folder / path}: {problem}. {_advice(folder)}"
        if found or not is_table(folder):
            return
        data = data_files(_open(folder))
        if version is not None:
            data = sorted({*data, *data_files(_open(folder, version))})
    except DataError as error:
        yield str(error)
        return
    known = seal.files if seal else {}
    # hashing leaves Python's global lock
    with ThreadPoolExecutor() as pool:
        checked = pool.map(lambda path: problem_of(folder / path, *([known[path]] if path in known else [])), data)
        for path, problem_found in zip(data, checked, strict=True):
            if problem_found:
                yield f"{folder / path}: {problem_found}. {_advice(folder)}"


def _log_problems(folder: Path, seal: _Seal | None) -> Iterator[tuple[str, str]]:
    present = log_files(folder)
    sealed = {path: digest for path, digest in seal.files.items() if of_log(path)} if seal else {}
    new = [path for path in present if path not in sealed]
    # Delta removes entries of its log once a checkpoint has what they say
    checkpoint = max((log_version(path) for path in present if path.endswith(".parquet")), default=-1)
    for path, digest in sealed.items():
        if path not in present and log_version(path) <= checkpoint and path.endswith(".json"):
            continue
        problem = problem_of(folder / path, digest)
        if problem and path.endswith(HINT) and new:  # a checkpoint came since the seal
            problem = log_problem(folder / path)
        if problem:
            yield path, problem
    for path in new:
        if problem := log_problem(folder / path):
            yield path, problem


def problems(folder: Path) -> list[str]:
    """Return what is wrong with a table, a sentence for each file that names it; nothing is written."""
    return list(_problems(folder))


def check(folder: Path, version: int | None = None) -> None:
    """Check all files of a table, and of an earlier version; those that were checked before are not read again.

    Raises
    ------
    DataError
        If one is missing or damaged; the message names it.
    """
    seal = folder / SEAL_FILE
    for attempt in range(1, _ATTEMPTS + 1):
        before = seal.read_bytes() if seal.exists() else b""
        found = next(_problems(folder, version), None)
        if found is None:
            return
        # one who only looks takes no lock: a commit may have come in between
        if attempt == _ATTEMPTS or before == (seal.read_bytes() if seal.exists() else b""):
            raise DataError(found)


def open_table(folder: Path, version: int | None = None) -> DeltaTable | None:
    """Return a version of a table, the newest by default, after checking its files; None where there is no table.

    Raises
    ------
    DataError
        If a file is missing or damaged, or there is no such version.
    """
    check(folder, version)
    return _open(folder, version) if is_table(folder) else None


def append(folder: Path, rows: pa.Table, note: dict[str, str]) -> None:
    """Add rows to a table, or make it of them, in one commit with a note; only the holder of the writer's lock may.

    Raises
    ------
    DataError
        If the table is damaged, or its columns are others.
    """
    table = open_table(folder)
    schema = Schema.from_arrow(rows.schema)
    if table is not None and table.schema() != schema:
        raise DataError(f"{folder}: its columns, or their types, are not those of the rows to be added; nothing was.")
    commit_file(folder, table, schema, [rows], note)


def commit_file(
    folder: Path,
    table: DeltaTable | None,
    schema: Schema,
    rows: Iterable[pa.Table],
    note: dict[str, str],
    merged: Sequence[str] = (),
) -> None:
    """Make rows a data file of a checked table, in one commit, in which the files that it merges leave the table."""
    version = -1 if table is None else table.version()
    files = _hashes(folder, table)
    # the same name after a kill: nothing is left over
    file = folder / file_name(version + 1, content_version(table) if table is not None and merged else None)
    number = 0
    with replacing(file) as temporary:
        with pq.ParquetWriter(temporary, pa.schema(schema), compression="zstd", write_page_checksum=True) as writer:
            for part in rows:
                writer.write_table(part)
                number += part.num_rows
        files[file.name] = written(temporary)
        write_sealed(folder / SEAL_FILE, {"version": version, "files": files})
    remember(file, files[file.name])
    commit(folder, table, schema, file, number, note, merged)
    table = _open(folder)
    write_sealed(folder / SEAL_FILE, {"version": table.version(), "files": _hashes(folder, table, files)})


def take_back(folder: Path, version: int) -> None:
    """Make a table what it was at an earlier version (-1: without rows), in one commit; only the lock's holder may."""
    table = open_table(folder)
    if table is None or table.version() == version:
        return
    if version < 0:
        table.delete(post_commithook_properties=HOOKS)
    else:
        table.restore(version)
    _seal_as_it_is(folder)


def add_columns(folder: Path, schema: pa.Schema) -> None:
    """Give a table the columns of a schema that it lacks, null in the rows that it has; only the lock's holder may."""
    table = open_table(folder)
    if table is None:
        return
    present = {column.name for column in table.schema().fields}
    lacking = [column for column in Schema.from_arrow(schema).fields if column.name not in present]
    if lacking:
        table.alter.add_columns(lacking)
        _seal_as_it_is(folder)


def _seal_as_it_is(folder: Path) -> None:
    table = _open(folder)
    write_sealed(folder / SEAL_FILE, {"version": table.version(), "files": _hashes(folder, table)})


def keep_only(folder: Path, table: DeltaTable, kept: set[str]) -> list[str]:
    """Leave out of the seal all files but some, and return those of the table's folder that can be removed now."""
    files = _hashes(folder, table)
    write_sealed(
        folder / SEAL_FILE,
        {"version": table.version(), "files": {path: digest for path, digest in files.items() if path in kept}},
    )
    return sorted({*files, *(path.name for path in folder.glob("[!.]*.parquet"))} - kept)


def seal(folder: Path) -> bool:
    """Seal what a killed run, or an earlier release, left without a seal, and say whether there was anything to seal.

    Only the holder of the lock may.
    """
    table = open_table(folder)
    if table is None:
        return False
    found = _read(folder)
    files = _hashes(folder, table)
    if found is not None and set(files) <= set(found.files):
        return False
    write_sealed(folder / SEAL_FILE, {"version": table.version(), "files": files})
    return True


def _hashes(folder: Path, table: DeltaTable | None, known: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the hash of every file of a checked table; those that are known are not computed again."""
    if table is None:
        return {}
    if known is None:
        found = _read(folder)
        known = found.files if found else {}
        if found is None:
            logger.info("{} is of a release without seals; it was read whole and is sealed from now on", folder)
    sync_folder(folder / LOG)
    # files that only earlier versions use
    files = {path: digest for path, digest in known.items() if not of_log(path) and (folder / path).exists()}
    for path in [*log_files(folder), *data_files(table)]:
        # the hint changes with every checkpoint
        digest = None if path.endswith(HINT) else known.get(path)
        files[path] = digest or written(folder / path)
        if digest is None:
            remember(folder / path, files[path])
    return files
