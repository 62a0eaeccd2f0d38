from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.naming import assert_names, refusal
from tests.settings import default

from batch_nlp.config import (
    ColumnConfig,
    Config,
    DatasetConfig,
    MessagesConfig,
    Role,
    Split,
    SplitConfig,
    TrainingConfig,
)
from batch_nlp.dataset.split import Parts, rows_at, split_messages, split_of
from batch_nlp.errors import DataError, ExitCode, SettingsError

N = 100
TIMES = pd.Series(pd.date_range("2024-01-01", periods=N, freq="h", tz="UTC").as_unit("us"))
LABELS = pd.Series([0, 1, 0, 2, 0] * 20)


def rows(texts: Sequence[str | None] | None = None, times: Any = TIMES, **columns: Any) -> pd.DataFrame:
    """Return messages an hour apart, each with a text of its own."""
    hashes = [f"h{number}" for number in range(N)] if texts is None else list(texts)
    return pd.DataFrame({"written_at": times, "text_hash": hashes, "group": None, **columns}).astype(
        {"text_hash": object}
    )


def split(messages: pd.DataFrame, by: Split, labels: pd.Series[int] = LABELS, seed: int = 1, **settings: Any) -> Parts:
    return split_messages(messages, labels, by, default(TrainingConfig, **settings), seed)


def sides(parts: Parts) -> tuple[list[int], list[int]]:
    return parts.train.tolist(), parts.hold_out.tolist()


def test_the_newest_messages_are_held_out_by_time() -> None:
    parts = split(rows(), Split.time)
    assert sides(parts) == (list(range(80)), list(range(80, 100)))
    assert parts.to_dict() == {"by": "time", "left_out_copies": 0, "repeated_texts": 0}


def test_messages_without_a_class_are_on_neither_side() -> None:
    labels = LABELS.copy()
    labels[[0, 99]] = -1
    assert sides(split(rows(), Split.time, labels)) == (list(range(1, 79)), list(range(79, 99)))


@pytest.mark.parametrize(("window", "train", "hold_out"), [(1, 60, range(60, 80)), (3, 20, range(20, 40))])
def test_an_earlier_window_is_held_out_from_a_model_of_what_is_older_still(
    window: int, train: int, hold_out: range
) -> None:
    assert sides(split(rows(), Split.time, window=window)) == (list(range(train)), list(hold_out))


def test_a_window_before_which_there_is_nothing_is_refused() -> None:
    with refusal(DataError, "training.window=4", "training.holdout=0.2", 100) as wrong:
        split(rows(), Split.time, window=4)
    assert wrong.value.exit_code is ExitCode.DATA


def test_a_text_that_was_trained_on_is_not_held_out_by_time() -> None:
    """Guarantee 25. The training messages stay those that they were; a text that is held out twice measures twice."""
    texts = [f"h{number}" for number in range(N)]
    texts[85], texts[99], texts[90], texts[3], texts[4] = "h7", "h7", "h95", "h2", "h2"
    parts = split(rows(texts), Split.time)
    assert sides(parts) == (list(range(80)), [number for number in range(80, 99) if number != 85])
    assert (parts.copies, parts.repeats) == (2, 5)


def test_texts_that_are_missing_equal_nothing() -> None:
    parts = split(rows([None] * N), Split.time)
    assert (len(parts.hold_out), parts.copies, parts.repeats) == (20, 0, 0)
    assert len(split(rows([None] * N), Split.random).hold_out) == 20


@pytest.mark.parametrize(("run", "start"), [(range(78, 86), 78), (range(70, 82), 82), (range(79, 81), 79)])
def test_equal_times_at_the_edge_stay_on_one_side(run: range, start: int) -> None:
    times = TIMES.copy()
    times[list(run)] = times[run[0]]
    parts = split(rows(times=times), Split.time)
    assert sides(parts) == (list(range(start)), list(range(start, 100)))


def test_many_equal_times_at_the_edge_are_told(warnings: list[str]) -> None:
    times = TIMES.copy()
    times[78:86] = times[78]
    split(rows(times=times), Split.time)
    assert_names(warnings[0], "8%", 100, "2024-01-04 06:00")


@pytest.mark.parametrize(
    ("run", "holdout", "words"),
    [
        (range(100), 0.2, ["100%", 100, "2024-01-01 00:00"]),
        (range(75, 100), 0.2, ["25%", 100, "2024-01-04 03:00"]),
        (range(83, 99), 0.1, ["17%", 100, "training.holdout=0.1"]),
    ],
)
def test_a_hold_out_by_the_order_of_rows_is_refused_with_what_works(
    run: range, holdout: float, words: list[object]
) -> None:
    times = TIMES.copy()
    times[list(run)] = times[run[0]]
    with refusal(DataError, *words, "training.split=random") as wrong:
        split(rows(times=times), Split.time, holdout=holdout, max_equal_times=0.2)
    assert wrong.value.exit_code is ExitCode.DATA
    assert len(split(rows(times=times), Split.random).hold_out) == 20


def test_messages_without_a_time_are_trained_on_unless_they_are_many() -> None:
    times = TIMES.copy()
    times[90:] = None
    assert sides(split(rows(times=times), Split.time)) == ([*range(72), *range(90, 100)], list(range(72, 90)))
    times[70:] = None
    with refusal(DataError, "30%", 100, "training.split=random"):
        split(rows(times=times), Split.time)


def test_a_random_hold_out_keeps_the_class_shares_and_follows_the_seed() -> None:
    parts = split(rows(), Split.random, holdout=0.25)
    assert sorted([*parts.train, *parts.hold_out]) == list(range(N))
    assert LABELS[parts.hold_out].value_counts().to_dict() == {0: 15, 1: 5, 2: 5}
    assert sides(split(rows(), Split.random, holdout=0.25)) == sides(parts)
    assert split(rows(), Split.random, holdout=0.25, seed=2).hold_out.tolist() != parts.hold_out.tolist()


def test_of_many_small_classes_each_is_on_both_sides_and_the_share_is_met() -> None:
    labels = pd.Series(np.repeat(range(25), 4))
    parts = split(rows(), Split.random, labels, holdout=0.25)
    assert labels[parts.hold_out].value_counts().to_dict() == dict.fromkeys(range(25), 1)


def test_equal_texts_are_drawn_together() -> None:
    """Guarantee 25."""
    texts = [f"h{number % 30}" for number in range(N)]
    parts = split(rows(texts), Split.random, pd.Series([number % 30 % 2 for number in range(N)]))
    there = pd.Series(texts)
    assert not set(there[parts.train]) & set(there[parts.hold_out])
    assert len(parts.hold_out) == pytest.approx(20, abs=3)
    assert (parts.repeats, parts.copies) == (70, 0)


def test_groups_are_drawn_whole_and_texts_join_them() -> None:
    """Shops of ten messages each; a text of the first one is also in the second, so that both are one group."""
    group = pd.Series([f"shop {number // 10}" for number in range(N)], dtype=object)
    group[95:] = None
    texts = [f"h{number}" for number in range(N)]
    texts[5] = texts[15]
    parts = split(rows(texts, group=group), Split.group, holdout=0.3)
    held = set(parts.hold_out)
    for number in range(2, 9):
        assert len(held & set(range(10 * number, 10 * number + 10))) in (0, 10)
    assert len(held & set(range(20))) in (0, 20)
    assert len(held) == pytest.approx(30, abs=5)


def test_a_few_large_groups_are_still_two_sides() -> None:
    group = pd.Series([f"shop {number % 3}" for number in range(N)], dtype=object)
    assert len(split(rows(group=group), Split.group).hold_out) in (33, 34)


def test_one_group_by_way_of_its_texts_is_refused_rather_than_held_out_from(warnings: list[str]) -> None:
    """All but 5 of 100 messages belong together; of the rest, a fifth of the messages cannot be taken."""
    group = pd.Series(["chain"] * 95 + [f"shop {number}" for number in range(5)], dtype=object)
    with refusal(DataError, "group", "5.0%", 100, "95%", "training.split=random"):
        split(rows(group=group), Split.group)
    assert not warnings
    with refusal(DataError, "random", "100.0%", 100):
        split(rows(["same"] * 100), Split.random)
    texts = ["same"] * 95 + [f"h{number}" for number in range(5)]
    split(rows(texts), Split.random)
    assert_names(warnings[0], "random", "5.0%", 100)


@pytest.mark.parametrize(("by", "works"), [(Split.group, Split.random), (Split.time, Split.random)])
def test_what_is_all_on_one_side_is_refused_with_what_works(by: Split, works: Split) -> None:
    texts = [f"h{number % 20}" if by is Split.time else f"h{number}" for number in range(N)]
    messages = rows(texts, group="one shop")
    with refusal(DataError, by.value, f"training.split={works.value}"):
        split(messages, by)
    assert len(split(messages, works).hold_out) > 0


@pytest.mark.parametrize("by", list(Split))
def test_labels_of_machines_are_held_out_only_where_there_are_no_others(by: Split) -> None:
    """Guarantee 25. What a machine labelled and is held out in another copy is on neither side."""
    source = pd.Series(["given", "person"] * 20 + ["rules", "clusters", "zero_shot"] * 20)
    texts = [f"h{number}" for number in range(N)]
    texts[99], texts[98] = "h39", "h38"
    parts = split(rows(texts, label_source=source), by)
    assert set(source[parts.hold_out]) <= {"given", "person"}
    assert len(parts.hold_out) == 8
    assert not {texts[row] for row in parts.train} & {texts[row] for row in parts.hold_out}
    assert len(parts.train) + len(parts.hold_out) + parts.copies == N
    if by is Split.time:
        assert sides(parts) == ([*range(32), *range(40, 98)], list(range(32, 40)))
    machines = pd.Series(["rules"] * N)
    assert len(split(rows(label_source=machines), by).hold_out) == 20


def config(by: Split | None = None, run: Split | None = None, timed: bool = True, window: int = 0) -> Config:
    columns = {"text": ColumnConfig(role=Role.text), **({"at": ColumnConfig(role=Role.time)} if timed else {})}
    dataset = default(
        DatasetConfig,
        name="d",
        messages=default(MessagesConfig, files="*", columns=columns),
        split=default(SplitConfig, by=by),
    )
    return default(Config, dataset=dataset, training=default(TrainingConfig, split=run, window=window))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (config(), Split.time),
        (config(timed=False), Split.random),
        (config(Split.group), Split.group),
        (config(Split.group, Split.time), Split.time),
        (config(Split.time, Split.random, timed=False), Split.random),
    ],
)
def test_the_run_goes_before_the_dataset_and_the_dataset_before_the_time(settings: Config, expected: Split) -> None:
    assert split_of(settings) is expected


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (config(Split.time, timed=False), ["dataset.split.by=time"]),
        (config(None, Split.time, timed=False), ["training.split=time"]),
        (config(Split.random, window=1), ["training.window=1", "training.split=time"]),
    ],
)
def test_a_split_that_cannot_be_is_refused_by_its_setting(settings: Config, words: list[str]) -> None:
    with refusal(SettingsError, *words) as wrong:
        split_of(settings)
    assert wrong.value.exit_code is ExitCode.SETTINGS
    assert split_of(replace(settings, training=default(TrainingConfig, split=Split.random))) is Split.random


def test_rows_of_a_part_that_follow_one_another_are_not_copied() -> None:
    frame = rows()
    part = rows_at(frame, frame.index[3:7])
    assert part.index.tolist() == [3, 4, 5, 6]
    assert np.shares_memory(part["group"].to_numpy(), frame["group"].to_numpy())
    assert rows_at(frame, frame.index[[1, 5]]).index.tolist() == [1, 5]
