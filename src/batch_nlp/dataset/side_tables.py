"""What is known of users and businesses, read once, joined to each batch out of core."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from loguru import logger

from batch_nlp.config import DatasetConfig, EngineConfig
from batch_nlp.errors import DataError
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import Ledger, keeping_account
from batch_nlp.storage.raw import SOURCE_FILE, SOURCE_LINE, find_files, read_batches
from batch_nlp.storage.sealed_files import check_file, replacing_sealed


@dataclass(frozen=True)
class _Table:
    key: str
    columns: tuple[str, ...]
    # columns that an export may lack; the feature is then missing, the table is not
    optional: tuple[str, ...]
    # brings the parquet file into the database, the first row of each key
    load: str


# The Yelp Open Dataset's names. `review_count` is read for the filter alone; no feature comes from it.
_TABLES = {
    "user": _Table(
        "user_id",
        ("user_id",),
        ("yelping_since", "elite", "review_count"),
        """
        CREATE TABLE side_user AS SELECT user_id, yelping_since, elite, review_count FROM read_parquet(?)
        QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY source_file, source_line) = 1
        """,
    ),
    "business": _Table(
        "business_id",
        ("business_id",),
        ("categories",),
        """
        CREATE TABLE side_business AS SELECT business_id, categories FROM read_parquet(?)
        QUALIFY row_number() OVER (PARTITION BY business_id ORDER BY source_file, source_line) = 1
        """,
    ),
}
_SOURCES_KEY = b"batch_nlp.sources"


def file_identity(file: Path) -> str:
    """Return what tells whether a file has changed: name, size and time of change."""
    status = file.stat()
    return f"{file.name}:{status.st_size}:{status.st_mtime_ns}"


def _text(value: Any) -> str | None:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return None if value is None or value != value else str(value)


def prepare_side_table(
    dataset: DatasetConfig, table: str, inbox: Path, layers: Layers, engine: EngineConfig
) -> Path | None:
    """Bring a side table from ``01_raw`` to ``02_intermediate``, unless it is there already.

    Parameters
    ----------
    dataset : DatasetConfig
        Where the raw files are.
    table : str
        ``user`` or ``business``.
    inbox : Path
        Where files of the table may have come along with new messages.
    layers : Layers
        Where the result goes.
    engine : EngineConfig
        Size of the batches.

    Returns
    -------
    Path or None
        The parquet file, None (with a warning) where the source has no such table.
    """
    pattern = getattr(dataset.tables, table)
    folders = (Path(dataset.raw_dir), inbox)
    files = [file for folder in folders for file in find_files(folder, pattern)] if pattern else []
    target = layers.intermediate / f"{table}.parquet"
    if not files:
        check_file(target, whole=target.exists())
        if target.exists():
            logger.warning("No {} file in {}; the one read before is used", table, dataset.raw_dir)
            return target
        if pattern:
            logger.warning(
                "No {} file ({}) in {}: what is known of a message's {} stays empty",
                table,
                pattern,
                dataset.raw_dir,
                table,
            )
        return None
    sources = hashlib.sha256("\n".join(map(file_identity, files)).encode()).hexdigest()
    if _is_sound(target) and (pq.read_schema(target).metadata or {}).get(_SOURCES_KEY) == sources.encode():
        return target
    spec = _TABLES[table]
    columns = [*spec.columns, *spec.optional]
    schema = pa.schema(
        [(name, pa.string()) for name in columns] + [(SOURCE_FILE, pa.string()), (SOURCE_LINE, pa.int64())]
    )
    quarantine = layers.intermediate / "quarantine"
    with keeping_account(quarantine) as ledger:
        with (
            replacing_sealed(target) as temporary,
            pq.ParquetWriter(
                temporary,
                schema.with_metadata({_SOURCES_KEY: sources.encode()}),
                compression="zstd",
                write_page_checksum=True,
            ) as writer,
        ):
            for rows in _rows(files, spec, engine.batch_rows, ledger):
                writer.write_table(pa.Table.from_pandas(rows, schema=schema, preserve_index=False))
            ledger.check_accounts()
        ledger.write_quarantine(quarantine / f"{table}.parquet")
    logger.info("{} table: {:,} rows from {} file(s)", table, ledger.done, len(files))
    return target


def _is_sound(table: Path) -> bool:
    """Say whether a table is there and undamaged; a damaged one is told, and can be made again."""
    if not table.exists():
        return False
    try:
        check_file(table)
    except DataError as error:
        logger.warning("{} Here it is made again from 01_raw.", error)
        return False
    return True


def _rows(files: Sequence[Path], spec: _Table, batch_rows: int, ledger: Ledger) -> Iterator[pd.DataFrame]:
    # everything else in these tables is an aggregate or of no use, so an unknown column is no news
    for batch in read_batches(files, spec.columns, spec.optional, batch_rows):
        ledger.receive(batch)
        rows = batch.rows
        for name in (*spec.columns, *spec.optional):
            rows[name] = pd.Series([_text(value) for value in rows[name]], rows.index, object)
        without_key = rows[spec.key].isna()
        if without_key.any():
            ledger.quarantine(
                rows[without_key], "extract", f"{spec.key} is missing", spec.key, rows[spec.key][without_key]
            )
        ledger.done += int((~without_key).sum())
        yield rows[~without_key]


class SideTables:
    """Users and businesses in a database, for the join with each batch.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds the tables while the run lasts.
    users, businesses : Path or None
        What `prepare_side_table` returned. The first row of a key counts.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, users: Path | None, businesses: Path | None) -> None:
        self._connection = connection
        self._load("user", users)
        self._load("business", businesses)

    def __deepcopy__(self, memo: object) -> Self:
        """Return itself: a step that is cloned belongs to the same run."""
        return self

    def _load(self, table: str, path: Path | None) -> None:
        spec = _TABLES[table]
        if path is None:
            columns = ", ".join(f"{name} VARCHAR" for name in (*spec.columns, *spec.optional))
            self._connection.execute(f"CREATE TABLE side_{table} ({columns})")
            return
        self._connection.execute(spec.load, [str(path)])

    def look_up(self, messages: pd.DataFrame) -> pd.DataFrame:
        """Return what is known of each message's user and business.

        Parameters
        ----------
        messages : DataFrame, shape (n, ...)
            With `user_id` and `business_id`, which may be None.

        Returns
        -------
        DataFrame, shape (n, 4)
            `user_since` (UTC), `user_elite`, `user_review_count` (float) and `business_categories`, with the index of
            `messages`; None, NaT or NaN where nothing is known.
        """
        keys = pa.table(
            {
                "position": pa.array(range(len(messages)), pa.int64()),
                "user_id": pa.array(messages["user_id"], pa.string()),
                "business_id": pa.array(messages["business_id"], pa.string()),
            }
        )
        self._connection.register("keys", keys)
        found = self._connection.sql(
            """
            SELECT u.yelping_since, u.elite, TRY_CAST(u.review_count AS DOUBLE) AS review_count, b.categories
            FROM keys k
            LEFT JOIN side_user u ON k.user_id = u.user_id
            LEFT JOIN side_business b ON k.business_id = b.business_id
            ORDER BY k.position
            """
        ).to_arrow_table()
        self._connection.unregister("keys")
        since = pd.Series(found["yelping_since"].to_pylist(), messages.index, object)
        return pd.DataFrame(
            {
                "user_since": pd.to_datetime(since, format="ISO8601", utc=True, errors="coerce").dt.as_unit("us"),
                "user_elite": pd.Series(found["elite"].to_pylist(), messages.index, object),
                "user_review_count": pd.Series(found["review_count"].to_pylist(), messages.index, float),
                "business_categories": pd.Series(found["categories"].to_pylist(), messages.index, object),
            }
        )
