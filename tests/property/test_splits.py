"""Guarantee 25: equal texts are on one side of every split, and labels of machines are in no hold-out."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from tests.settings import default

from batch_nlp.config import Split, TrainingConfig
from batch_nlp.dataset.split import TRUSTED, split_messages
from batch_nlp.errors import DataError

MESSAGE = st.tuples(
    st.sampled_from([*"abcdefghijklmnop", None]),
    st.sampled_from([*"stuvwxyz", None]),
    st.integers(0, 400),
    st.sampled_from(["given", "person", "rules", "clusters", "zero_shot"]),
    st.integers(-1, 2),
)


@given(
    st.lists(MESSAGE, min_size=1, max_size=40),
    st.sampled_from(Split),
    st.sampled_from([0.1, 0.2, 0.5]),
    st.integers(0, 2),
    st.integers(0, 3),
)
def test_no_text_and_no_machine_measures_itself(
    messages: list[tuple[str | None, str | None, int, str, int]], by: Split, holdout: float, window: int, seed: int
) -> None:
    messages.sort(key=lambda message: message[2])
    texts, groups, hours, sources, classes = map(list, zip(*messages, strict=True))
    times = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(pd.Series(hours), unit="h")
    rows = pd.DataFrame({"written_at": times.astype("datetime64[us, UTC]"), "label_source": sources})
    rows["text_hash"], rows["group"] = pd.Series(texts, dtype=object), pd.Series(groups, dtype=object)
    training = default(TrainingConfig, holdout=holdout, window=window if by is Split.time else 0, max_equal_times=1.0)
    try:
        parts = split_messages(rows, pd.Series(classes), by, training, seed)
    except DataError:  # nothing could be held out of these
        return
    train, hold_out = list(parts.train), list(parts.hold_out)
    assert train
    assert hold_out
    assert not set(train) & set(hold_out)
    assert all(classes[row] >= 0 for row in (*train, *hold_out))
    assert not {texts[row] for row in train if texts[row]} & {texts[row] for row in hold_out}
    if by is Split.group:
        assert not {groups[row] for row in train if groups[row]} & {groups[row] for row in hold_out}
    if any(sources[row] in TRUSTED for row, label in enumerate(classes) if label >= 0):
        assert {sources[row] for row in hold_out} <= set(TRUSTED)
    if by is Split.time:
        given_ones = [row for row in train if sources[row] in TRUSTED]
        assert not {hours[row] for row in given_ones} & {hours[row] for row in hold_out}
    again = split_messages(rows, pd.Series(classes), by, training, seed)
    assert (list(again.train), list(again.hold_out)) == (train, hold_out)
