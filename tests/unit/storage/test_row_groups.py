from __future__ import annotations

import pyarrow as pa

from batch_nlp.storage.row_groups import gathered


def test_small_batches_are_joined_in_their_order_and_empty_ones_dropped() -> None:
    batches = pa.table({"n": list(range(7))}).to_batches(max_chunksize=2)
    found = gathered([*batches[:2], batches[0].slice(0, 0), *batches[2:]], 3)
    assert [part["n"].to_pylist() for part in found] == [[0, 1, 2, 3], [4, 5, 6]]


def test_of_empty_batches_no_part_is_made() -> None:
    empty = pa.RecordBatch.from_pydict({"n": pa.array([], pa.int64())})
    assert list(gathered([empty], 3)) == []
