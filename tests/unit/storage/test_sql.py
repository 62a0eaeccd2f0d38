from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.settings import default

from batch_nlp.config import EngineConfig
from batch_nlp.storage.sql import connect

# 64 MB of text; DuckDB does not hold it in 32 MB
ROWS = "CREATE TABLE t AS SELECT i, repeat(md5(i::VARCHAR), 4) AS s FROM range(500_000) AS r(i)"
SPILLING = f"""
import os, sys
from batch_nlp.config import EngineConfig
from batch_nlp.storage.sql import connect
with connect(EngineConfig("local", 10, 10, threads=1, memory_limit="32MB", temp_directory=sys.argv[1])) as connection:
    connection.execute("{ROWS}")
    os.kill(os.getpid(), {signal.SIGKILL})
"""


@pytest.fixture
def small(tmp_path: Path) -> EngineConfig:
    return default(EngineConfig, name="local", threads=1, memory_limit="32MB", temp_directory=str(tmp_path / "spill"))


def test_what_does_not_fit_spills_and_is_gone_afterwards(small: EngineConfig) -> None:
    with connect(small) as connection:
        assert not Path(small.temp_directory).exists()
        connection.execute(ROWS)
        assert sum(file.stat().st_size for file in Path(small.temp_directory).iterdir()) > 2**24
        found = connection.execute("SELECT count(*), sum(i), count(DISTINCT s) FROM t").fetchone()
        assert found == (500_000, 500_000 * 499_999 // 2, 500_000)
    assert not Path(small.temp_directory).exists()


def test_what_a_killed_process_spilled_is_removed_by_the_next_that_spills(small: EngineConfig) -> None:
    killed = subprocess.run([sys.executable, "-c", SPILLING, small.temp_directory], check=False)
    assert killed.returncode == -signal.SIGKILL
    left = {file.name for file in Path(small.temp_directory).iterdir()}
    assert left
    with connect(small) as connection:
        connection.execute(ROWS)
        assert not left & {file.name for file in Path(small.temp_directory).iterdir()}


def test_no_room_to_spill_to_is_an_error_of_the_disk(small: EngineConfig, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(OSError, match="file"),
        connect(replace(small, temp_directory=str(tmp_path / "file" / "spill"))) as connection,
    ):
        connection.execute(ROWS)
    with (
        pytest.raises(OSError, match="max_temp_directory_size"),
        connect(small) as connection,
        connection.execute("SET max_temp_directory_size = '1MB'") as limited,
    ):
        limited.execute(ROWS)
