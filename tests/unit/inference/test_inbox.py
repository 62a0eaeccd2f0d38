"""What has come into the inbox: files are taken when they are whole."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from loguru import logger
from tests.naming import assert_names
from tests.settings import default

from batch_nlp.config import DatasetConfig, MessagesConfig
from batch_nlp.inference.inbox import arrivals
from batch_nlp.inference.past import FILES
from batch_nlp.storage.raw import still_written

NONE = FILES.empty_table()
DATASET = default(DatasetConfig, name="mine", messages=default(MessagesConfig, files="*"))
ROW = b'{"text": "a"}\n'


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds that were waited; nothing really waits."""
    found: list[float] = []
    monkeypatch.setattr("time.sleep", found.append)
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
    assert len(warnings) == 1, "no time has passed here"
    assert_names(warnings[0], file.name)
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


def test_a_csv_that_breaks_off_within_a_line_rests_longer(tmp_path: Path, naps: list[float]) -> None:
    for name, text, age in (
        ("cut.csv", "text\na\nhalf of", 12),
        ("old.csv", "text\nb", 31),
        ("utf_16.csv", "text\nc\n".encode("utf-16"), 12),
        ("rows.jsonl", '{"text": "d"}', 12),
    ):
        put(tmp_path, name, age).write_bytes(text if isinstance(text, bytes) else text.encode())
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    assert sorted(arrivals(tmp_path, DATASET, NONE, 2.0).files) == ["old.csv", "rows.jsonl", "utf_16.csv"]
    assert naps == [pytest.approx(18, abs=0.5)]
    assert "cut.csv" in arrivals(tmp_path, DATASET, NONE, 0.0).files


def test_a_writer_that_closes_the_file_and_pauses_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(still_written, "_BROKEN_OFF", 4.0)
    write = """
import sys, time
for number, text in enumerate(["id,text\\n1,all of it\\n2,half", " of it\\n"]):
    time.sleep(1.5 * number)
    with open(sys.argv[1], "a") as file:
        file.write(text)
    print("written", flush=True)
"""
    file = tmp_path / "grows.csv"
    with subprocess.Popen([sys.executable, "-c", write, str(file)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        found = arrivals(tmp_path, DATASET, NONE, 0.2)
    assert found.files == {"grows.csv": hashlib.sha256(b"id,text\n1,all of it\n2,half of it\n").hexdigest()}


def test_a_pipe_in_the_place_of_a_file_does_not_keep_the_run_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        put(tmp_path, name, 60)

    def swap(files: list[Path], min_age: float) -> None:
        files[0].unlink()
        os.mkfifo(files[0])

    # between the look at the folder and at its files
    monkeypatch.setattr("batch_nlp.inference.inbox.wait_until_written", swap)
    found = arrivals(tmp_path, DATASET, NONE, 2.0)
    assert list(found.files) == ["b.jsonl"]
    assert [file.name for file in found.set_aside] == ["a.jsonl"]
    assert_names(found.set_aside[0].problem, "a.jsonl")


def test_files_that_were_scored_before_are_one_line_of_the_log(tmp_path: Path) -> None:
    """The inbox may keep them for years."""
    rows = []
    for number in range(100):
        file = put(tmp_path, f"{number:03}.jsonl", 60)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        looked = {"size": file.stat().st_size, "changed_ns": file.stat().st_mtime_ns}
        rows.append({"name": file.name, "digest": digest, "batch": "batch a", **looked})
    put(tmp_path, "new.jsonl", 60)
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(message.record["message"]), level="DEBUG")
    found = arrivals(tmp_path, DATASET, pa.Table.from_pylist(rows, schema=NONE.schema), 0.0)
    logger.remove(sink)
    assert list(found.files) == ["new.jsonl"]
    [line] = lines
    assert_names(line, 100, "000.jsonl", "batch a")
    assert len(line) < 300
