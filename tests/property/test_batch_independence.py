"""Guarantee 4: a message's features and prediction do not depend on its batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_nlp.storage.raw.batches import RawBatch

Score = Callable[[Iterable[RawBatch]], Any]


def batches(rows: pd.DataFrame, size: int) -> list[RawBatch]:
    """Cut rows into batches with an index from 0, as the reader gives them."""
    parts = [rows.iloc[start : start + size].reset_index(drop=True) for start in range(0, len(rows), size)]
    return [RawBatch(part, []) for part in parts]


def assert_same(found: Any, expected: Any) -> None:
    """Compare the messages of `found` with the same ones of `expected`, to the last bit."""
    for got, wanted in ((found.features, expected.features), (found.predictions, expected.predictions)):
        places = pd.Index(wanted["message_id"]).get_indexer(pd.Index(got["message_id"]))
        assert (places >= 0).all()
        same = wanted.iloc[places].reset_index(drop=True)
        plain = [name for name in got.columns if name != "embedding"]
        pd.testing.assert_frame_equal(got[plain], same[plain], check_exact=True)
        if "embedding" in got:
            np.testing.assert_array_equal(np.stack(got["embedding"]), np.stack(same["embedding"]))


@pytest.fixture(scope="module")
def whole(score: Score, sample_rows: pd.DataFrame) -> Any:
    """Return the outcome of all sample messages in one batch."""
    return score(batches(sample_rows, 5000))


@pytest.mark.parametrize("size", [1, 64])
def test_the_whole_sample_shuffled_and_in_pieces(
    score: Score, sample_rows: pd.DataFrame, whole: Any, size: int
) -> None:
    """Guarantee 4."""
    some = sample_rows.drop_duplicates("review_id").sample(400 if size > 1 else 12, random_state=size)
    found = score(batches(some, size))
    assert_same(found, whole)
    assert len(found.predictions) + found.ledger.quarantined == len(some)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_a_message_alone_shuffled_split_and_in_any_chunk_size(
    score: Score, sample_rows: pd.DataFrame, data: st.DataObject
) -> None:
    """Guarantee 4."""
    places = data.draw(st.lists(st.integers(0, len(sample_rows) - 1), min_size=2, max_size=12, unique=True))
    rows = sample_rows.iloc[places].drop_duplicates("review_id").reset_index(drop=True)
    # any text in place of some of the sample's
    for row in data.draw(st.sets(st.integers(0, len(rows) - 1))):
        rows.loc[row, "text"] = data.draw(st.text(max_size=200), label=f"text {row}")
    together = score(batches(rows, len(rows)))
    if together.predictions.empty:
        return
    order = data.draw(st.permutations(range(len(rows))))
    size = data.draw(st.integers(min(3, len(rows)), len(rows)))
    shuffled = score(batches(rows.iloc[order], size))
    assert len(shuffled.predictions) == len(together.predictions)
    assert_same(shuffled, together)
    alone = data.draw(st.sampled_from(together.predictions["message_id"].tolist()))
    assert_same(score(batches(rows[rows["review_id"] == alone], 1)), together)
