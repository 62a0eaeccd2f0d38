"""Side tables as tests read and join them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from batch_nlp.config import Config
from batch_nlp.dataset.message_columns import joins
from batch_nlp.dataset.side_table_join import SideTables
from batch_nlp.dataset.side_tables import prepare_side_table
from batch_nlp.storage.layers import Layers

Rows = list[dict[str, Any]]

USERS: Rows = [
    {"user_id": "u1", "yelping_since": "2010-01-01 00:00:00", "elite": "2012,2013", "review_count": 3},
    {"user_id": "u2", "yelping_since": "2011-01-01 00:00:00", "elite": "", "review_count": 0},
]

# Settings with three tables, one of them as of a time
THREE = (
    (
        "dataset.side_tables=[{name: user, files: '*user*', key: user_id, columns: {elite: {role: raw}}},"
        " {name: open hours, files: hours*, key: shop, columns: {since: {role: time}, days: {role: number}}},"
        " {name: towns, files: '*town*', key: zip, columns: {size: {role: number}, state: {role: category}}}]"
    ),
    "+dataset.messages.columns.business_id.name=shop",
    "dataset.messages.columns.business_id.of=open hours",
    "+dataset.messages.columns.zip={role: key, of: towns}",
)


def prepare(config: Config, table: str = "user") -> Path | None:
    layers = Layers(Path(config.paths.data), "sample")
    (found,) = (known for known in config.dataset.side_tables if known.name == table)
    return prepare_side_table(config.dataset, found, Path(config.inference.inbox), layers, config.engine)


def loaded(config: Config, connection: duckdb.DuckDBPyConnection, **files: Path | None) -> SideTables:
    """Return the side tables of the sample; those that are not given are not there."""
    dataset = config.dataset
    return SideTables(
        connection,
        joins(dataset.messages.columns, dataset.side_tables),
        {table.name: files.get(table.name) for table in dataset.side_tables},
    )


def keys(*pairs: tuple[str | None, str | None]) -> pd.DataFrame:
    users, businesses = zip(*pairs, strict=True)
    return pd.DataFrame(
        {
            "key:user_id": pd.Series(users, dtype=object),
            "key:business_id": pd.Series(businesses, dtype=object),
            "written_at": pd.Timestamp("2020-01-01", tz="UTC").as_unit("us"),
        }
    ).set_index(pd.Index([10 * number for number in range(len(pairs))]))
