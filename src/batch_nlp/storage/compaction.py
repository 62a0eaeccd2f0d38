"""Keeps a Delta table from growing with the number of commits: merges small files and removes old versions.

Versions that a model was trained on stay readable. A kill at any moment leaves the table as it was, at most with files
that belong to no version; the next call removes those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from loguru import logger

from batch_nlp.storage import delta_table
from batch_nlp.storage.delta_files import data_files, log_files, log_version
from batch_nlp.storage.parquet import gathered

# A table with more commits is compacted; larger files are not merged
_COMMITS, _LARGE = 32, 64 << 20
_BATCH_ROWS = 10_000


def compact(folder: Path, pinned: Callable[[], Iterable[int] | None]) -> None:
    """Merge the small files of a table and remove what only old versions need; only the holder of the lock may.

    `pinned` gives the versions that stay readable besides the newest, or None to remove nothing; it is called only if
    there is something to do. Raises a `DamageError` if the table is damaged.
    """
    commits = {log_version(path) for path in log_files(folder)} - _kept_before(folder)
    if len(commits) <= _COMMITS or (table := delta_table.open_table(folder)) is None:
        return
    small = _to_merge({path: (folder / path).stat().st_size for path in data_files(table)})
    if len(small) > 1:
        rows = gathered(_rows(table, folder, small), _BATCH_ROWS)
        delta_table.commit_file(folder, table, table.schema(), rows, {"run": "compaction"}, small)
        table = DeltaTable(str(folder))
        logger.info("Store: merged {} files of {} into one", len(small), folder.name)
    if (versions := pinned()) is not None:
        _forget(folder, table, {version for version in versions if 0 <= version < table.version()})


def _kept_before(folder: Path) -> set[int]:
    """Return the versions with a checkpoint: compacted or pinned ones."""
    return {log_version(path) for path in log_files(folder) if path.endswith(".parquet")}


def _to_merge(sizes: dict[str, int]) -> list[str]:
    """Return the files to merge: each at most as large as all smaller ones together, so rows are rarely rewritten."""
    chosen, total = list[str](), 0
    for path, size in sorted(sizes.items(), key=lambda item: (item[1], item[0])):
        if size >= _LARGE or (len(chosen) >= _COMMITS // 2 and size > total):
            break
        chosen.append(path)
        total += size
    # in the order of their commits
    return sorted(chosen) if len(chosen) >= _COMMITS // 2 else []


def _rows(table: DeltaTable, folder: Path, paths: list[str]) -> Iterator[pa.RecordBatch]:
    schema = table.to_pyarrow_dataset().schema
    for path in paths:
        # columns that were added later become null
        yield from ds.dataset(folder / path, schema=schema, format="parquet").to_batches(batch_size=_BATCH_ROWS)


def _forget(folder: Path, table: DeltaTable, pinned: set[int]) -> None:
    """Remove rows and log entries that neither the newest nor a pinned version needs."""
    checkpoints, kept = _kept_before(folder), set(data_files(table))
    for version in pinned:
        try:
            earlier = DeltaTable(str(folder), version=version)
        except DeltaError as error:
            logger.warning("{}: version {} was lost earlier: {}", folder, version, error)
            continue
        kept |= set(data_files(earlier))
        if version not in checkpoints:
            earlier.create_checkpoint()
    if table.version() not in checkpoints:
        table.create_checkpoint()
    needed = {*pinned, table.version()}
    kept |= {path for path in log_files(folder) if log_version(path) in {-1, *needed}}
    for path in delta_table.keep_only(folder, table, kept):
        (folder / path).unlink(missing_ok=True)
