"""What has come into the inbox: files are taken when they are whole."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from batch_nlp.config import DatasetConfig, MessagesConfig
from batch_nlp.inference import inbox as module
from batch_nlp.inference.inbox import arrivals
from batch_nlp.inference.past import FILES

NONE = FILES.empty_table()
DATASET = DatasetConfig("mine", messages=MessagesConfig("*"))
ROW = b'{"text": "a"}\n'


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds that were waited; nothing really waits."""
    found: list[float] = []
    monkeypatch.setattr(module.time, "sleep", found.append)
    return found


def put(folder: Path, name: str, age: float) -> Path:
    file = folder / name
    file.write_bytes(ROW + name.encode())
    os.utime(file, (time.time() - age,) * 2)
    return file


def test_a_file_that_has_just_come_is_waited_for(tmp_path: Path, naps: list[float], warnings: list[str]) -> None:
    file = put(tmp_path, "a.jsonl", 2)
    arrivals(tmp_path, DATASET, NONE, 5.0)
    assert naps == [pytest.approx(3, abs=0.5)]
    assert warnings == [f"{file} is still being written: it is left for the next run"], "no time has passed here"
    put(tmp_path, "a.jsonl", 5.1)
    assert list(arrivals(tmp_path, DATASET, NONE, 5.0).files) == ["a.jsonl"]
    assert len(naps) == 1


def test_one_that_needs_longer_is_left_at_once(tmp_path: Path, naps: list[float]) -> None:
    put(tmp_path, "a.jsonl", 2)
    put(tmp_path, "b.jsonl", 61)
    put(tmp_path, "wrong_clock.jsonl", -1000)
    assert list(arrivals(tmp_path, DATASET, NONE, 60.0).files) == ["b.jsonl", "wrong_clock.jsonl"]
    assert naps == []


def test_a_writer_that_pauses_is_not_overtaken(tmp_path: Path, naps: list[float]) -> None:
    file = put(tmp_path, "a.jsonl", 0)
    with file.open("ab") as writer, (tmp_path / "a.jsonl").open("rb"):
        os.utime(file, (time.time() - 600,) * 2)
        assert arrivals(tmp_path, DATASET, NONE, 5.0).files == {}
        os.utime(file, (time.time() - 3700,) * 2)
        assert list(arrivals(tmp_path, DATASET, NONE, 5.0).files) == ["a.jsonl"], "forgotten by its writer"
        writer.write(ROW)
    os.utime(file, (time.time() - 600,) * 2)
    with file.open("rb"):
        assert list(arrivals(tmp_path, DATASET, NONE, 5.0).files) == ["a.jsonl"]
    assert naps == []


def test_without_an_age_files_are_taken_as_they_are(tmp_path: Path, naps: list[float]) -> None:
    with put(tmp_path, "a.jsonl", 0).open("ab"):
        assert list(arrivals(tmp_path, DATASET, NONE, 0.0).files) == ["a.jsonl"]
    assert naps == []
