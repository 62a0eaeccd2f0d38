from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.naming import refusal

from batch_nlp.errors import DataError
from batch_nlp.storage.history import BATCH, History

SCHEMA = pa.schema([BATCH, ("key", pa.string())])


def name(number: int) -> str:
    return f"202601{number // 24 + 1:02d}T{number % 24:02d}0000Z-0123abcd"


def add(history: History, number: int, *, merge: bool = True) -> None:
    with history.adding(name(number)) as writer:
        writer.write_table(pa.table({"batch": [name(number)], "key": [f"k{number}"]}, SCHEMA))
    if merge:
        history.merge()


def keys(history: History, but: str = "") -> list[str]:
    return [key for path in history.files(but) for key in pq.read_table(path)["key"].to_pylist()]


def test_every_row_is_there_once_in_few_files(tmp_path: Path) -> None:
    history = History(tmp_path, SCHEMA)
    assert not history.exists()
    for number in range(123):
        add(history, number)
        assert keys(history) == [f"k{done}" for done in range(number + 1)]
    # 1 of a hundred, 2 of ten, 3 of one, and the seal
    assert sorted(path.name[0] for path in tmp_path.glob("*.parquet")) == ["0", "0", "0", "1", "1", "2"]
    assert len(list(tmp_path.iterdir())) == 7
    # small row groups are slow to read
    assert {pq.read_metadata(path).num_row_groups for path in history.files()} == {1}


def test_a_batch_that_is_done_again_replaces_its_rows(tmp_path: Path) -> None:
    history = History(tmp_path, SCHEMA)
    for number in (1, 2, 2):
        add(history, number)
    assert keys(history) == ["k1", "k2"]
    assert keys(history, but=name(2)) == ["k1"]


def test_what_a_kill_left_of_a_merge_counts_once_and_goes(tmp_path: Path) -> None:
    history = History(tmp_path / "known", SCHEMA)
    for number in range(10):
        add(history, number, merge=False)
    shutil.copytree(history.folder, tmp_path / "before")
    history.merge()
    assert len(list(history.folder.glob("*.parquet"))) == 1
    for path in sorted((tmp_path / "before").glob("*.parquet"))[3:]:
        shutil.copyfile(path, history.folder / path.name)
    assert keys(history) == [f"k{number}" for number in range(10)]
    add(history, 10)
    assert keys(history) == [f"k{number}" for number in range(11)]
    assert len(list(history.folder.glob("*.parquet"))) == 2


def test_what_an_earlier_release_left_comes_first(tmp_path: Path) -> None:
    history = History(tmp_path, SCHEMA)
    with history.adding(name(1), first=True) as writer:
        writer.write_table(pa.table({"batch": [name(0), name(1)], "key": ["k0", "k1"]}, SCHEMA))
    for number in range(2, 13):
        add(history, number)
    assert keys(history) == [f"k{number}" for number in range(13)]


@pytest.mark.parametrize("how", ["damaged", "missing"])
def test_a_damaged_or_missing_part_is_refused_by_name(tmp_path: Path, how: str) -> None:
    history = History(tmp_path, SCHEMA)
    add(history, 1)
    (file,) = tmp_path.glob("*.parquet")
    if how == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1] + b"x")
    with refusal(DataError, file.name):
        history.files()
