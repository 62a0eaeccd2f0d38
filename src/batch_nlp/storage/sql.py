"""One way to run SQL over files and frames: DuckDB, out of core, within the engine's limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from batch_nlp.config import EngineConfig


@contextmanager
def connect(engine: EngineConfig) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an empty database in memory; it goes when the block ends.

    What does not fit spills to files in `engine.temp_directory`. DuckDB names them after the process, and the next one
    that spills there removes those of a process that was killed.

    Raises
    ------
    OSError
        If the disk fails DuckDB: it is full, for example.
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
    # of memory: what should spill has no room on the disk either
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise OSError(str(error)) from error
