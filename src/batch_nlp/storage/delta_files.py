"""The files of a Delta table, by their paths below its folder.

Source of the names in the log: the Delta transaction log protocol.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from batch_nlp.storage.seal import damage

# The folder of the log, and the file in it that names the newest checkpoint
LOG, HINT = "_delta_log", "_last_checkpoint"
# After 30 days Delta would remove log entries, and with them the versions that models name
HOOKS = PostCommitHookProperties(cleanup_expired_logs=False)
_MERGED = re.compile(r"part-(\d{8})-of-(\d{8})\.parquet")
_LOG_FILE = re.compile(r"(\d{20})\.(json|checkpoint\..*parquet)")


def data_files(table: DeltaTable) -> list[str]:
    """Return the paths of the files with the rows of a table's version."""
    return sorted(str(path) for path in pa.table(table.get_add_actions())["path"].to_pylist())


def file_name(version: int, content: int | None = None) -> str:
    """Return the name of the data file that a version adds; if it only merges files, `content` is their version."""
    return f"part-{version:08d}.parquet" if content is None else f"part-{version:08d}-of-{content:08d}.parquet"


def content_version(table: DeltaTable) -> int:
    """Return the version that first held a table's rows: an earlier one if the last commit only merged files."""
    found = (_MERGED.fullmatch(path) for path in data_files(table))
    return next((int(name[2]) for name in found if name and int(name[1]) == table.version()), table.version())


def log_files(folder: Path) -> list[str]:
    """Return the paths of a table's log entries, its checkpoints, and the hint to the newest checkpoint."""
    log = folder / LOG
    names = sorted(path.name for path in log.iterdir()) if log.is_dir() else []
    return [f"{LOG}/{name}" for name in names if name == HINT or _LOG_FILE.fullmatch(name)]


def is_table(folder: Path) -> bool:
    """Return whether a folder holds a table."""
    return any(log_version(path) >= 0 for path in log_files(folder))


def of_log(path: str) -> bool:
    """Return whether a file belongs to the log."""
    return path.startswith(f"{LOG}/")


def log_version(path: str) -> int:
    """Return the version of a file of the log, -1 for the hint."""
    found = _LOG_FILE.fullmatch(path.rpartition("/")[2])
    return int(found[1]) if found else -1


def log_damage(path: Path) -> str | None:
    """Read a file of the log whole, since its hash is not known, and say what is wrong with it."""
    if path.suffix == ".parquet":
        return damage(path, ())
    try:
        lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    except (OSError, ValueError) as error:
        return f"damaged; it cannot be read ({error})"
    return None if lines else "empty"


def commit(
    folder: Path,
    table: DeltaTable | None,
    schema: Schema,
    file: Path,
    rows: int,
    note: dict[str, str],
    merged: Sequence[str],
) -> None:
    """Add a data file to a table, and drop the files that it merges.

    The commit has no column bounds: readers would skip rows by them.
    """
    now, changed = round(time.time() * 1000), not merged
    action = AddAction(file.name, file.stat().st_size, {}, now, changed, json.dumps({"numRecords": rows}))
    properties = CommitProperties(custom_metadata=note)
    if table is None:
        create_table_with_add_actions(
            str(folder), schema, [action], commit_properties=properties, post_commithook_properties=HOOKS
        )
    else:
        leaving = [RemoveAction(path, changed, now) for path in merged]
        table.create_write_transaction(
            [*leaving, action], "append", schema, commit_properties=properties, post_commithook_properties=HOOKS
        )
