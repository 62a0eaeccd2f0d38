from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from tests.naming import assert_names, refusal

from batch_nlp.errors import DataError
from batch_nlp.storage import checked, seals

SEAL = "_seal.json"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "features-x"


def add(table: Path, *ids: str) -> None:
    seals.append(table, pa.table({"id": pa.array(ids, pa.string())}), {"run": "r"})


def ids(table: Path) -> list[str]:
    found = seals.open_table(table)
    return sorted(found.to_pyarrow_table()["id"].to_pylist()) if found else []


def test_there_is_no_table_before_the_first_commit(table: Path) -> None:
    assert seals.open_table(table) is None
    assert seals.problems(table) == []
    assert not seals.seal(table)


class Killed(BaseException):
    pass


@pytest.mark.parametrize(
    ("step", "committed"),
    [("replacing", False), ("write_sealed", False), ("commit", False), ("_open", True)],
    ids=["before the data file", "before its seal", "before the commit", "before the last seal"],
)
def test_a_commit_that_is_killed_at_any_step_is_there_or_not_and_the_next_one_works(
    table: Path, monkeypatch: pytest.MonkeyPatch, step: str, committed: bool
) -> None:
    """Guarantees 1 and 2."""
    add(table, "a")
    with monkeypatch.context() as patch:
        calls = []

        def kill(*args: Any, **kwargs: Any) -> Any:
            calls.append(step)
            if step == "_open" and len(calls) < 3:  # twice to check the table and to open it
                return opened(*args, **kwargs)
            raise Killed

        opened = seals._open
        patch.setattr(seals, step, kill)
        with pytest.raises(Killed):
            add(table, "b")
    assert ids(table) == (["a", "b"] if committed else ["a"])
    assert seals.problems(table) == []
    add(table, "c")
    assert ids(table) == (["a", "b", "c"] if committed else ["a", "c"])
    assert seals.problems(table) == []
    assert not seals.seal(table), "all is sealed"
    assert len(list(table.glob("*.parquet"))) == len(ids(table)), "nothing is left over"


def test_what_a_kill_left_unsealed_is_sealed_on_request(table: Path) -> None:
    add(table, "a")
    seal = (table / SEAL).read_bytes()
    add(table, "b")
    (table / SEAL).write_bytes(seal)
    assert seals.seal(table)
    assert not seals.seal(table)
    assert ids(table) == ["a", "b"]


def test_a_table_of_an_earlier_release_is_read_whole_and_sealed_by_the_next_writer(table: Path) -> None:
    for name in "ab":
        write_deltalake(str(table), pa.table({"id": pa.array([name], pa.string())}), mode="append")
    assert ids(table) == ["a", "b"]
    assert not (table / SEAL).exists(), "one who reads writes nothing"
    damaged = next(table.glob("*.parquet"))
    content = damaged.read_bytes()
    damaged.write_bytes(content[:-20])
    with refusal(DataError, damaged.name):
        seals.open_table(table)
    damaged.write_bytes(content)
    add(table, "c")
    assert ids(table) == ["a", "b", "c"]
    damaged.write_bytes(content.replace(b"id", b"ie"))
    with refusal(DataError, damaged.name):
        seals.open_table(table)


def test_checkpoints_of_delta_are_sealed_as_they_come(table: Path) -> None:
    add(table, "a")
    DeltaTable(str(table)).create_checkpoint()
    assert seals.problems(table) == []
    add(table, "b")
    # Delta tidies up its log once a checkpoint has all of it
    (table / "_delta_log" / f"{0:020}.json").unlink()
    assert ids(table) == ["a", "b"]
    (checkpoint,) = (table / "_delta_log").glob("*.checkpoint.parquet")
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1])
    with refusal(DataError, checkpoint.name):
        seals.open_table(table)


def test_all_damaged_files_are_told_at_once(table: Path) -> None:
    for name in "abc":
        add(table, name)
    one, two, _ = sorted(table.glob("*.parquet"))
    one.unlink()
    two.write_bytes(b"")
    problems = seals.problems(table)
    assert len(problems) == 2
    for problem, file in zip(problems, (one, two), strict=True):
        assert_names(problem, file.name, table, "pipeline=feature")
    with refusal(DataError, one.name):
        add(table, "d")


def test_a_table_is_hashed_once_in_a_process(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(table, "a")
    assert ids(table) == ["a"]
    monkeypatch.setattr(checked.hashlib, "file_digest", None)
    assert ids(table) == ["a"]


def test_what_was_taken_back_is_sealed_too_and_earlier_versions_are_still_checked(table: Path) -> None:
    for name in "abc":
        add(table, name)
    seals.take_back(table, 1)
    assert ids(table) == ["a", "b"]
    then = seals.open_table(table, 2)
    assert then is not None
    assert then.to_pyarrow_table().num_rows == 3
    file = sorted(table.glob("*.parquet"))[2]
    file.write_bytes(b"")
    assert ids(table) == ["a", "b"]
    with refusal(DataError, file.name):
        seals.open_table(table, 2)
    with refusal(DataError, table.name, 9):
        seals.open_table(table, 9)
    add(table, "d")
    assert ids(table) == ["a", "b", "d"]
