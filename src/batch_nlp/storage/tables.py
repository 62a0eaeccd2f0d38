"""One way to run SQL over files and frames: DuckDB, out of core, within the engine's limits."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from batch_nlp.config import EngineConfig


@contextmanager
def connect(engine: EngineConfig) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a temporary database on disk; it goes when the block ends.

    Parameters
    ----------
    engine : EngineConfig
        Threads, and the memory over which DuckDB spills to disk.

    Raises
    ------
    OSError
        If the disk fails DuckDB: it is full, for example.
    """
    with tempfile.TemporaryDirectory(prefix="batch_nlp_") as folder:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": engine.memory_limit,
            "temp_directory": folder,
        }
        if engine.threads:
            settings["threads"] = engine.threads
        try:
            with duckdb.connect(f"{folder}/work.duckdb", config=settings) as connection:
                connection.execute("SET TimeZone = 'UTC'")
                yield connection
        # nobody else works in this database: a commit can fail only on the disk
        except (duckdb.IOException, duckdb.TransactionException) as error:
            raise OSError(str(error)) from error
