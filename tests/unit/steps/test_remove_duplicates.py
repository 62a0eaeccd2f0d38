from __future__ import annotations

import duckdb
import pandas as pd
import pyarrow as pa
from tests.left_out import reasons

from batch_nlp.steps.remove_duplicates import RemoveDuplicates
from batch_nlp.storage.known import KnownMessages
from batch_nlp.storage.ledger import Ledger


def messages(*pairs: tuple[str | None, str | None]) -> pd.DataFrame:
    """Return messages of ids and digits that stand for hashes of texts."""
    ids, digits = zip(*pairs, strict=True)
    return pd.DataFrame(
        {
            "message_id": pd.Series(ids, dtype=object),
            "text_hash": pd.Series([digit and digit * 32 for digit in digits], dtype=object),
            "target": None,
            "source_file": "f",
            "source_line": range(len(pairs)),
        },
    ).set_index(pd.Index(range(100, 100 + len(pairs))))


def test_each_message_goes_on_once_and_the_others_are_accounted_for(connection: duckdb.DuckDBPyConnection) -> None:
    ledger = Ledger()
    stored = pa.table({"message_id": ["old"], "text_hash": ["3" * 32]})
    step = RemoveDuplicates(KnownMessages(connection, stored), ledger)
    batch = messages(("a", "1"), ("old", "3"), ("a", "1"), ("a", "2"), ("b", "1"), ("old", "4"))
    assert step.transform(batch).index.tolist() == [100, 104]
    assert (ledger.known, ledger.duplicates) == (1, 1)
    [((name, reason), number)] = reasons(ledger).items()
    assert (name, reason.split()[0], number) == ("remove_duplicates", "id", 2)
    assert step.transform(batch).empty
    assert (ledger.known, ledger.duplicates, ledger.quarantined) == (2, 4, 4)


def test_equal_texts_of_different_ids_are_different_messages(connection: duckdb.DuckDBPyConnection) -> None:
    step = RemoveDuplicates(KnownMessages(connection, None), Ledger())
    assert len(step.transform(messages(("a", "1"), ("b", "1")))) == 2


def test_messages_without_id_or_text_go_on_and_hide_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    ledger = Ledger()
    step = RemoveDuplicates(KnownMessages(connection, None), ledger)
    batch = messages((None, "1"), ("a", None), ("a", "1"), (None, "1"), (None, None))
    assert step.transform(batch).index.tolist() == [100, 101, 102, 103, 104]
    assert set(ledger.summary().values()) == {0}


def test_an_empty_batch_passes(connection: duckdb.DuckDBPyConnection) -> None:
    step = RemoveDuplicates(KnownMessages(connection, None), Ledger())
    assert step.transform(messages(("a", "1")).iloc[:0]).empty


def test_labels_of_new_and_known_messages_are_handed_on_and_those_of_another_text_are_not(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    taken: list[pd.DataFrame] = []
    stored = pa.table({"message_id": ["old"], "text_hash": ["3" * 32]})
    step = RemoveDuplicates(KnownMessages(connection, stored), Ledger(), taken.append)
    batch = messages(("a", "1"), ("old", "3"), ("a", "1"), ("a", "2"), ("b", "1"), (None, "1"))
    batch["target"] = ["1", "2", "3", "4", None, "5"]
    step.transform(batch)
    (labelled,) = taken
    assert dict(zip(labelled.index, labelled["target"], strict=True)) == {100: "1", 101: "2", 102: "3"}


def test_where_nothing_is_known_of_other_messages_all_pass() -> None:
    batch = messages(("a", "1"), ("a", "1"))
    assert RemoveDuplicates().transform(batch) is batch
