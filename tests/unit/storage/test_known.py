from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from batch_nlp.config import EngineConfig
from batch_nlp.storage.known import KnownMessages, Seen
from batch_nlp.storage.sql import connect

STORED = pa.table({"message_id": ["a", "b", "old"], "text_hash": ["1" * 32, "2" * 32, None]}).cast(
    pa.schema([("message_id", pa.string()), ("text_hash", pa.string())])
)


@pytest.fixture
def connection(engine: EngineConfig) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(engine) as opened:
        yield opened


def look_up(known: KnownMessages, *messages: str) -> list[int]:
    """Look up messages written as id and text hash, like ``a1``."""
    ids, hashes = [message[:-1] for message in messages], [message[-1] * 32 for message in messages]
    return known.look_up(pd.Series(ids, dtype=object), pd.Series(hashes, dtype=object)).tolist()


def test_a_stored_message_is_known_and_one_of_another_text_is_a_conflict(connection: duckdb.DuckDBPyConnection) -> None:
    known = KnownMessages(connection, STORED)
    assert look_up(known, "a1", "a2", "b2", "c1") == [Seen.STORED, Seen.CONFLICT, Seen.STORED, Seen.NEW]


def test_the_first_of_equal_messages_is_new_in_one_batch_or_several(connection: duckdb.DuckDBPyConnection) -> None:
    known = KnownMessages(connection, None)
    assert look_up(known, "c1", "c1", "c2", "d1") == [Seen.NEW, Seen.REPEATED, Seen.CONFLICT, Seen.NEW]
    assert look_up(known, "c1", "c2", "d1", "e1") == [Seen.REPEATED, Seen.CONFLICT, Seen.REPEATED, Seen.NEW]


def test_a_message_stored_without_its_text_is_known_by_its_id(connection: duckdb.DuckDBPyConnection) -> None:
    assert look_up(KnownMessages(connection, STORED), "old1") == [Seen.STORED]


def test_an_empty_batch_is_looked_up(connection: duckdb.DuckDBPyConnection) -> None:
    known = KnownMessages(connection, STORED)
    assert look_up(known) == []


def test_ids_are_kept_to_the_letter(connection: duckdb.DuckDBPyConnection) -> None:
    known = KnownMessages(connection, None)
    ids = ["A1", "a1", " a1", "a 1", "é1", "e\u03011", "\x001", "'; DROP TABLE known; --1"]
    assert look_up(known, *ids) == [Seen.NEW] * len(ids)
    assert look_up(known, *ids) == [Seen.REPEATED] * len(ids)
