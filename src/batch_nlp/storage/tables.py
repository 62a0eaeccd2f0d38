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
    """
    with tempfile.TemporaryDirectory(prefix="batch_nlp_") as folder:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": engine.memory_limit,
            "temp_directory": folder,
        }
        if engine.threads:
            settings["threads"] = engine.threads
        with duckdb.connect(f"{folder}/work.duckdb", config=settings) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            yield connection
