from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from batch_nlp.storage.parquet import WaitingRows, gathered

MESSAGES = pa.table({"message_id": ["a", "b"], "text": ["late again", "thank you"]})


def test_rows_wait_under_another_name_until_the_file_is_published(tmp_path: Path) -> None:
    path = tmp_path / "messages" / "run-0001.parquet"
    file = WaitingRows(path, MESSAGES.schema)
    for start in range(2):
        file.add(MESSAGES.slice(start, 1))
        assert not path.exists()
    assert file.publish() == path
    assert pq.read_table(path).equals(MESSAGES)
    assert list(path.parent.iterdir()) == [path]


def test_nothing_is_left_of_what_is_discarded(tmp_path: Path) -> None:
    file = WaitingRows(tmp_path / "messages" / "run-0001.parquet", MESSAGES.schema)
    file.add(MESSAGES)
    file.discard()
    assert not list((tmp_path / "messages").iterdir())


def test_small_batches_are_joined_in_their_order_and_empty_ones_dropped() -> None:
    batches = pa.table({"n": list(range(7))}).to_batches(max_chunksize=2)
    found = gathered([*batches[:2], batches[0].slice(0, 0), *batches[2:]], 3)
    assert [part["n"].to_pylist() for part in found] == [[0, 1, 2, 3], [4, 5, 6]]


def test_of_empty_batches_no_part_is_made() -> None:
    empty = pa.RecordBatch.from_pydict({"n": pa.array([], pa.int64())})
    assert list(gathered([empty], 3)) == []
