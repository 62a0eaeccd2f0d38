"""Samples that several test modules read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.settings import default

from batch_nlp.config import SampleConfig
from batch_nlp.sample import write_batch, write_history

Rows = list[dict[str, Any]]


@pytest.fixture(scope="session")
def read() -> Callable[[Path], tuple[Rows, list[bytes]]]:
    """Return a reader of JSON lines that returns the rows and the lines that are no JSON."""

    def read_lines(path: Path) -> tuple[Rows, list[bytes]]:
        rows: Rows = []
        cut: list[bytes] = []
        for line in path.read_bytes().splitlines():
            try:
                rows.append(orjson.loads(line))
            except orjson.JSONDecodeError:
                cut.append(line)
        return rows, cut

    return read_lines


@pytest.fixture(scope="session")
def settings() -> SampleConfig:
    """Return the settings of `history`: without faults, so that every line is a message."""
    return default(SampleConfig, messages=4000, batch_messages=600, duplicate_share=0.0, broken_share=0.0)


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory, settings: SampleConfig) -> Path:
    """Return a folder with the three tables."""
    folder = tmp_path_factory.mktemp("history")
    write_history(folder, settings)
    return folder


@pytest.fixture
def batch(tmp_path: Path) -> Callable[[SampleConfig], tuple[Path, Path]]:
    """Return a writer of the next batch that returns the files in the inbox and among the pending ones."""

    def write(settings: SampleConfig) -> tuple[Path, Path]:
        inbox_file = write_batch(tmp_path / "inbox", tmp_path / "pending", settings)
        return inbox_file, tmp_path / "pending" / inbox_file.name

    return write
