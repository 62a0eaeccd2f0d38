"""Small worlds for the feature steps and what a dataset's file means."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from batch_nlp.config import ColumnConfig, Config, EngineConfig
from batch_nlp.dataset.message_columns import joins
from batch_nlp.dataset.side_table_join import SideTables
from batch_nlp.dataset.side_tables import prepare_side_table
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.sql import connect

Rows = list[dict[str, Any]]


@pytest.fixture
def columns(tmp_path: Path, make_config: Callable[..., Config]) -> dict[str, ColumnConfig]:
    """Return the columns of the sample's messages."""
    return make_config(tmp_path).dataset.messages.columns


@pytest.fixture
def connection(engine: EngineConfig) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(engine) as opened:
        yield opened


@pytest.fixture
def write_lines() -> Callable[[Path, Rows], Path]:
    """Return a writer of JSON lines."""

    def write(path: Path, rows: Rows) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return write


@pytest.fixture
def raw_frame() -> Callable[..., pd.DataFrame]:
    """Return a maker of raw rows, as the reader gives them; what is not given is a sound message."""

    def make(*rows: dict[str, Any]) -> pd.DataFrame:
        sound = {"text": "fine", "date": "2020-01-01 10:00:00", "stars": 5.0, "user_id": "u", "business_id": "b"}
        filled = [{"review_id": f"m{number}", **sound, **row} for number, row in enumerate(rows)]
        names = ["review_id", *sound]
        frame = pd.DataFrame({name: pd.Series([row[name] for row in filled], dtype=object) for name in names})
        return frame.assign(source_file="review.json", source_line=range(1, len(rows) + 1))

    return make


@pytest.fixture
def make_side_tables(
    tmp_path: Path,
    make_config: Callable[..., Config],
    connection: duckdb.DuckDBPyConnection,
    write_lines: Callable[[Path, Rows], Path],
) -> Callable[[Rows, Rows], SideTables]:
    """Return a maker of the sample's side tables from rows of users and businesses, by way of real files."""

    def make(users: Rows, businesses: Rows) -> SideTables:
        config = make_config(tmp_path)
        layers = Layers(Path(config.paths.data), "sample")
        folder = Path(config.dataset.raw_dir)
        for name, rows in (("user", users), ("business", businesses)):
            if rows:
                write_lines(folder / f"{name}.json", rows)
        dataset = config.dataset
        joined = joins(dataset.messages.columns, dataset.side_tables)
        paths = {
            table.name: prepare_side_table(dataset, table, tmp_path / "inbox", layers, config.engine)
            for table in dataset.side_tables
        }
        return SideTables(connection, joined, paths)

    return make
