"""What reaches a simulated system: batches, labels that are late or wrong, days on which nothing comes."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from tests.settings import default

from batch_nlp.config import SampleConfig
from batch_nlp.dataset.classes import ClassMap
from batch_nlp.simulation.messages import Messages
from batch_nlp.simulation.scenarios import Day

TARGETS = {"1": 0, "2": 0, "3": 1, "4": 2, "5": 2}
SAMPLE = default(SampleConfig, messages=40, duplicate_share=0.05, broken_share=0.02)


def world(folder: Path, days: list[Day], delay: int = 1) -> Messages:
    classes = ["negative", "neutral", "positive"]
    label_map = ClassMap(classes, {target: classes[index] for target, index in TARGETS.items()})
    return Messages(folder, SAMPLE, days, delay, label_map)


def labels_in(folder: Path, number: int) -> dict[str, int]:
    """Return the labels that a file of the batch holds; of a message that comes twice, all its lines agree."""
    labels: dict[str, set[int]] = {}
    for line in (folder / f"yelp_academic_dataset_review_batch_{number:04d}.json").read_bytes().splitlines():
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if (label := TARGETS.get(f"{row['stars']:g}")) is not None:
            labels.setdefault(row["review_id"], set()).add(label)
    assert all(len(found) == 1 for found in labels.values())
    return {name: found.pop() for name, found in labels.items()}


def batches(folder: Path) -> list[str]:
    return sorted(path.name[-9:-5] for path in folder.glob("*batch*"))


def test_labels_arrive_after_their_delay_and_are_the_truth(tmp_path):
    messages = world(tmp_path, [Day(100)] * 4, delay=2)
    messages.begin()
    truths = []
    for day, arrived in enumerate([[], [], ["0001"], ["0001", "0002"]], start=1):
        truths.append(messages.arrive(day))
        assert batches(messages.inbox) == [f"{number:04d}" for number in range(1, day + 1)]
        assert batches(messages.raw) == arrived
    assert [labels_in(messages.raw, number) for number in (1, 2)] == truths[:2]
    assert not set(truths[0]) & set(truths[1])
    assert '"stars"' not in (messages.inbox / "yelp_academic_dataset_review_batch_0001.json").read_text()


def test_labels_may_come_on_the_day_itself(tmp_path):
    messages = world(tmp_path, [Day(30)], delay=0)
    assert messages.arrive(1) == labels_in(messages.raw, 1)


def test_a_batch_has_the_class_shares_of_its_day(tmp_path):
    truth = list(world(tmp_path, [Day(200, (0.7, 0.1, 0.2))]).arrive(1).values())
    assert [truth.count(label) / len(truth) for label in range(3)] == pytest.approx([0.7, 0.1, 0.2], abs=0.02)


def test_poisoned_labels_are_wrong_for_the_share_that_was_asked_for(tmp_path):
    messages = world(tmp_path, [Day(1000, flipped=0.3), Day(10)])
    truth = messages.arrive(1)
    messages.arrive(2)
    arrived = labels_in(messages.raw, 1)
    assert arrived.keys() == truth.keys()
    wrong = [(truth[name], arrived[name]) for name in truth if arrived[name] != truth[name]]
    assert 0.25 < len(wrong) / len(truth) < 0.35
    assert set(wrong) == {(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)}


def test_days_without_a_file_and_with_an_empty_one(tmp_path):
    messages = world(tmp_path, [Day(None), Day(0), Day(20)], delay=1)
    assert messages.arrive(1) == messages.arrive(2) == {}
    assert len(messages.arrive(3)) > 15
    assert [path.stat().st_size > 0 for path in sorted(messages.inbox.iterdir())] == [False, True]
    assert batches(messages.inbox) == ["0002", "0003"]


def test_the_same_settings_give_the_same_bytes(tmp_path):
    both = [world(tmp_path / name, [Day(50, flipped=0.3), Day(50)]) for name in ("a", "b")]
    for messages in both:
        messages.begin()
        messages.arrive(1)
        messages.arrive(2)
    first, second = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in sorted((tmp_path / name).rglob("*.json"))}
        for name in ("a", "b")
    )
    assert first == second
    assert len(first) == 7
