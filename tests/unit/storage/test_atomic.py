from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from batch_nlp.storage.atomic import (
    append_line,
    replacing,
    replacing_folder,
    sweep,
    unfinished,
    write_bytes,
    write_json,
    write_text,
)
from batch_nlp.storage.parquet import write_parquet


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole_under_its_name_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "not" / "there" / "yet.bin"
    write_bytes(target, b"new")
    assert target.read_bytes() == b"new"
    assert names(target.parent) == ["yet.bin"]


def test_the_target_is_untouched_while_its_successor_is_being_written(tmp_path: Path) -> None:
    target = tmp_path / "report.txt"
    target.write_text("old")
    with replacing(target) as temporary:
        temporary.write_text("ne")
        assert target.read_text() == "old"
        temporary.write_text("new")
    assert target.read_text() == "new"


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "report.txt"
    target.write_text("old")

    def fail() -> None:
        with replacing(target) as temporary:
            temporary.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert target.read_text() == "old"
    assert names(tmp_path) == ["report.txt"]


def test_a_value_that_json_cannot_hold_leaves_the_old_document(tmp_path: Path) -> None:
    target = tmp_path / "metrics.json"
    write_json(target, {"f1": 0.5, "name": "é"})
    with pytest.raises(ValueError):
        write_json(target, {"f1": float("nan")})
    assert json.loads(target.read_text("utf-8")) == {"f1": 0.5, "name": "é"}
    assert names(tmp_path) == ["metrics.json"]


def test_a_folder_replaces_another_one_whole(tmp_path: Path) -> None:
    target = tmp_path / "v1"
    target.mkdir()
    (target / "old").touch()
    with replacing_folder(target) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "new").write_text("x")
        assert names(target) == ["old"]
    assert names(target) == ["deep"]
    assert names(tmp_path) == ["v1"]


def test_a_new_folder_appears_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "not" / "there" / "v1"
    with replacing_folder(target) as folder:
        (folder / "new").write_text("x")
        assert not target.exists()
    assert (target / "new").read_text() == "x"
    assert names(target.parent) == ["v1"]


@pytest.mark.parametrize("existing", [True, False])
def test_a_failed_folder_leaves_what_was_there(tmp_path: Path, existing: bool) -> None:
    target = tmp_path / "v1"
    if existing:
        target.mkdir()
        (target / "old").touch()

    def fail() -> None:
        with replacing_folder(target) as folder:
            (folder / "half").touch()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert names(tmp_path) == (["v1"] if existing else [])
    assert not existing or names(target) == ["old"]


def test_text_is_written_as_utf_8(tmp_path: Path) -> None:
    write_text(tmp_path / "a.html", "naïve 😀")
    assert (tmp_path / "a.html").read_bytes() == "naïve 😀".encode()


def test_parquet_is_written_so_that_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    table = pa.table({"id": [f"message {number}" for number in range(500)]})
    write_parquet(path, table)
    assert pq.read_table(path, page_checksum_verification=True).equals(table)
    damaged = bytearray(path.read_bytes())
    damaged[60] ^= 1  # within the first page
    path.write_bytes(damaged)
    with pytest.raises(OSError, match=r"CRC|checksum"):
        pq.read_table(path, page_checksum_verification=True)


def test_lines_are_appended_in_order(tmp_path: Path) -> None:
    log = tmp_path / "not" / "there" / "log.jsonl"
    for line in ("first", "zweite ü", "third"):
        append_line(log, line)
    assert log.read_text("utf-8") == "first\nzweite ü\nthird\n"


@pytest.mark.parametrize("before", [b'{"whole": 1}\n{"torn": ', b"{"])
def test_a_torn_line_does_not_swallow_the_next_one(tmp_path: Path, before: bytes) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(before)
    append_line(log, '{"next": 2}')
    assert log.read_bytes() == before + b'\n{"next": 2}\n'


def test_a_process_killed_while_it_writes_leaves_the_old_file_readable(tmp_path: Path) -> None:
    target = tmp_path / "pointer.json"
    write_json(target, {"version": "old"})
    code = (
        "import os, signal, sys; from pathlib import Path; from batch_nlp.storage.atomic import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('{\"vers'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert json.loads(target.read_text()) == {"version": "old"}
    assert [path.name.endswith(".tmp") for path in sweep(tmp_path)] == [True]
    assert names(tmp_path) == ["pointer.json"]


def test_sweeping_removes_what_killed_runs_left_and_nothing_else(tmp_path: Path) -> None:
    kept = ["report.txt", ".hidden", ".mine.tmp", "not.hidden.0123abcd.tmp", ".lock"]
    for name in kept:
        (tmp_path / name).touch()
    deep = tmp_path / "layer" / "deeper"
    deep.mkdir(parents=True)
    (deep / ".rows.parquet.0123abcd.tmp").touch()
    folder = deep / ".v0001.89abcdef.tmp"
    folder.mkdir()
    (folder / "model.skops").touch()
    assert sorted(sweep(tmp_path)) == sorted([deep / ".rows.parquet.0123abcd.tmp", folder])
    assert names(deep) == []
    assert names(tmp_path) == sorted([*kept, "layer"])


def test_folders_that_appear_whole_are_not_looked_into(tmp_path: Path) -> None:
    inside = tmp_path / "predictions" / "batch" / ".rows.parquet.0123abcd.tmp"
    beside = tmp_path / "predictions" / ".batch.89abcdef.tmp"
    for folder in (inside, beside):
        folder.mkdir(parents=True)
    assert unfinished(tmp_path, whole=[tmp_path / "predictions"]) == [beside]
    assert unfinished(tmp_path) == sorted([beside, inside])
