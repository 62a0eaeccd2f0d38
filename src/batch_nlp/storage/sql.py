"""SQL over files and frames: DuckDB, out of core, within the engine's limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from batch_nlp.config import EngineConfig


@contextmanager
def connect(engine: EngineConfig) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an empty database in memory, and close it when the block ends.

    What does not fit into memory spills to files in `engine.temp_directory`. DuckDB names them after the process; the
    next process that spills there removes those of a killed one. Raises an `OSError` if the disk fails or is full.
    """
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": engine.memory_limit,
        "temp_directory": engine.temp_directory,
    }
    if engine.threads:
        settings["threads"] = engine.threads
    try:
        with duckdb.connect(config=settings) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            yield connection
    # out of memory: there was no disk space to spill to either
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise OSError(str(error)) from error
