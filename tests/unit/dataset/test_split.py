from __future__ import annotations

import pandas as pd
import pytest

from batch_nlp.config import Split
from batch_nlp.errors import DataError, ExitCode
from batch_nlp.dataset.split import check_classes, split_messages

CLASSES = ["negative", "neutral", "positive"]


def test_the_newest_messages_are_held_out_by_time(messages: pd.DataFrame, labels: pd.Series[int]) -> None:
    train, held_out = split_messages(messages, labels, Split.time, 0.2, 0, 1)
    assert len(held_out) == round(0.2 * len(messages))
    assert train.append(held_out).tolist() == messages.index.tolist()
    assert messages.loc[train, "written_at"].max() <= messages.loc[held_out, "written_at"].min()


@pytest.mark.parametrize(
    ("window", "train", "held_out"),
    [(0, range(8), [8, 9]), (1, range(6), [6, 7]), (3, range(2), [2, 3])],
)
def test_an_earlier_window_is_held_out_from_a_model_of_what_is_older_still(
    window: int, train: range, held_out: list[int]
) -> None:
    """As if the model had been trained then: what came after the window is left out."""
    frame = pd.DataFrame({"text": list("abcdefghij")}, index=range(100, 110))
    found = split_messages(frame, pd.Series([0, 1] * 5, frame.index), Split.time, 0.2, window, 1)
    assert [(part - 100).tolist() for part in found] == [list(train), held_out]


def test_a_window_before_which_there_is_nothing_is_refused() -> None:
    frame = pd.DataFrame({"text": list("abcdefghij")})
    with pytest.raises(DataError, match=r"training\.window=4: nothing is left.*training\.holdout=0\.2 of 10 ") as wrong:
        split_messages(frame, pd.Series([0, 1] * 5), Split.time, 0.2, 4, 1)
    assert wrong.value.exit_code is ExitCode.DATA


def test_a_random_hold_out_keeps_the_class_shares_and_follows_the_seed(
    messages: pd.DataFrame, labels: pd.Series[int]
) -> None:
    train, held_out = split_messages(messages, labels, Split.random, 0.25, 0, 1)
    assert sorted([*train, *held_out]) == messages.index.tolist()
    assert len(held_out) == pytest.approx(0.25 * len(messages), abs=1)
    counts, all_counts = labels[held_out].value_counts(), labels.value_counts()
    assert all(abs(counts[name] - 0.25 * all_counts[name]) <= 1 for name in all_counts.index)
    again = split_messages(messages, labels, Split.random, 0.25, 0, 1)
    assert (train.tolist(), held_out.tolist()) == (again[0].tolist(), again[1].tolist())
    assert held_out.tolist() != split_messages(messages, labels, Split.random, 0.25, 0, 2)[1].tolist()


def test_enough_of_every_class_is_enough() -> None:
    check_classes(pd.Series([0, 0, 1, 1, 2, 2]), CLASSES, 2, "messages")


def test_all_classes_with_too_few_messages_are_named_with_their_numbers() -> None:
    """Guarantee 15."""
    labels = pd.Series([0] * 30 + [1] * 3)
    with pytest.raises(
        DataError,
        match=r"at least 20 messages to train on; class neutral \(1\) has 3, class positive \(2\) has 0.*min_class",
    ) as short:
        check_classes(labels, CLASSES, 20, "messages to train on")
    assert short.value.exit_code is ExitCode.DATA
