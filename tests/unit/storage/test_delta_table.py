from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from tests.naming import assert_names, refusal

from batch_nlp.errors import DataError
from batch_nlp.storage import delta_table, seal
from batch_nlp.storage.problem import DamageError, Problem

SEAL = "_seal.json"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "features-x"


def add(table: Path, *ids: str) -> None:
    delta_table.append(table, pa.table({"id": pa.array(ids, pa.string())}), {"run": "r"})


def ids(table: Path) -> list[str]:
    found = delta_table.open_table(table)
    return sorted(found.to_pyarrow_table()["id"].to_pylist()) if found else []


def test_there_is_no_table_before_the_first_commit(table: Path) -> None:
    assert delta_table.open_table(table) is None
    assert delta_table.problems(table) == []
    assert not delta_table.seal(table)


def test_a_hash_is_of_what_is_durable(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = set[str]()
    monkeypatch.setattr(os, "fsync", lambda file: synced.add(str(Path(f"/proc/self/fd/{file}").readlink())))
    add(table, "a")
    assert {str(path) for path in (table / "_delta_log").glob("*.json")} <= synced


class Killed(BaseException):
    pass


@pytest.mark.parametrize(
    ("step", "committed"),
    [("replacing", False), ("hash_of", False), ("commit", False), ("_open", True)],
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

        opened = delta_table._open
        patch.setattr(delta_table, step, kill)
        with pytest.raises(Killed):
            add(table, "b")
    assert ids(table) == (["a", "b"] if committed else ["a"])
    assert delta_table.problems(table) == []
    add(table, "c")
    assert ids(table) == (["a", "b", "c"] if committed else ["a", "c"])
    assert delta_table.problems(table) == []
    assert not delta_table.seal(table), "all is sealed"
    assert len(list(table.glob("*.parquet"))) == len(ids(table)), "nothing is left over"


def test_what_a_kill_left_unsealed_is_sealed_on_request(table: Path) -> None:
    add(table, "a")
    seal = (table / SEAL).read_bytes()
    add(table, "b")
    (table / SEAL).write_bytes(seal)
    assert delta_table.seal(table)
    assert not delta_table.seal(table)
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
        delta_table.open_table(table)
    damaged.write_bytes(content)
    add(table, "c")
    assert ids(table) == ["a", "b", "c"]
    damaged.write_bytes(content.replace(b"id", b"ie"))
    with refusal(DataError, damaged.name):
        delta_table.open_table(table)


def test_checkpoints_of_delta_are_sealed_as_they_come(table: Path) -> None:
    add(table, "a")
    DeltaTable(str(table)).create_checkpoint()
    assert delta_table.problems(table) == []
    add(table, "b")
    # Delta tidies up its log once a checkpoint has all of it
    (table / "_delta_log" / f"{0:020}.json").unlink()
    assert ids(table) == ["a", "b"]
    (checkpoint,) = (table / "_delta_log").glob("*.checkpoint.parquet")
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1])
    with refusal(DataError, checkpoint.name):
        delta_table.open_table(table)


def test_all_damaged_files_are_told_at_once(table: Path) -> None:
    for name in "abc":
        add(table, name)
    one, two, _ = sorted(table.glob("*.parquet"))
    one.unlink()
    two.write_bytes(b"")
    problems = delta_table.problems(table)
    assert len(problems) == 2
    for problem, file in zip(problems, (one, two), strict=True):
        assert_names(problem, file.name, table, "pipeline=feature")
        assert str(problem).endswith(".")
    with refusal(DataError, one.name):
        add(table, "d")


def test_a_table_is_hashed_once_in_a_process(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(table, "a")
    assert ids(table) == ["a"]
    monkeypatch.setattr(seal.hashlib, "file_digest", None)
    assert ids(table) == ["a"]


def test_what_was_taken_back_is_sealed_too_and_earlier_versions_are_still_checked(table: Path) -> None:
    for name in "abc":
        add(table, name)
    delta_table.take_back(table, 1)
    assert ids(table) == ["a", "b"]
    then = delta_table.open_table(table, 2)
    assert then is not None
    assert then.to_pyarrow_table().num_rows == 3
    file = sorted(table.glob("*.parquet"))[2]
    file.write_bytes(b"")
    assert ids(table) == ["a", "b"]
    with refusal(DataError, file.name):
        delta_table.open_table(table, 2)
    with refusal(DataError, table.name, 9):
        delta_table.open_table(table, 9)
    add(table, "d")
    assert ids(table) == ["a", "b", "d"]


def versions(table: Path) -> int:
    return int(DeltaTable(str(table)).version())


@pytest.mark.parametrize(("to", "left"), [(-1, []), (0, ["a"]), (1, ["a", "b"])])
def test_a_version_is_restored_in_one_commit_whose_files_are_all_sealed(table: Path, to: int, left: list[str]) -> None:
    for name in "abc":
        add(table, name)
    delta_table.take_back(table, to)
    assert (ids(table), versions(table)) == (left, 3)
    assert not delta_table.seal(table)
    assert set(json.loads((table / SEAL).read_bytes())["files"]) > {path.name for path in table.glob("*.parquet")}


def test_nothing_is_restored_where_nothing_has_changed(table: Path) -> None:
    delta_table.take_back(table, -1)
    assert not table.exists()
    add(table, "a")
    delta_table.take_back(table, 0)
    assert versions(table) == 0


def test_columns_are_added_once_and_null_in_earlier_rows(table: Path) -> None:
    schema = pa.schema([("id", pa.string()), ("source", pa.string()), ("score", pa.float64())])
    delta_table.add_columns(table, schema)
    assert not table.exists()
    add(table, "a")
    for _ in range(2):
        delta_table.add_columns(table, schema)
        assert versions(table) == 1
        assert not delta_table.seal(table)
    found = delta_table.open_table(table)
    assert found is not None
    assert found.to_pyarrow_table().to_pylist() == [{"id": "a", "source": None, "score": None}]


def test_rows_with_other_columns_are_refused(table: Path) -> None:
    add(table, "a")
    with refusal(DataError, table):
        delta_table.append(table, pa.table({"id": [1]}), {})
    assert (ids(table), versions(table)) == (["a"], 0)


def test_a_commit_has_its_note_and_a_file_with_page_checksums(table: Path) -> None:
    add(table, "a", "b")
    (entry,) = DeltaTable(str(table)).history()
    assert entry["run"] == "r"
    (file,) = table.glob("*.parquet")
    column = pq.ParquetFile(file).metadata.row_group(0).column(0)
    assert column.compression == "ZSTD"
    actions = pa.table(DeltaTable(str(table)).get_add_actions())
    assert actions["num_records"].to_pylist() == [2]
    seal.forget()
    content = bytearray(file.read_bytes())
    # the last byte of its last page
    content[(column.dictionary_page_offset or column.data_page_offset) + column.total_compressed_size - 1] ^= 1
    (table / SEAL).unlink()
    file.write_bytes(content)
    assert [problem.path for problem in delta_table.problems(table)] == [file]


def test_a_commit_while_a_reader_looks_is_no_damage(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(table, "a")
    tries = []

    def meanwhile(folder: Path, version: int | None = None) -> Any:
        tries.append(version)
        if len(tries) < 3:
            (folder / SEAL).write_bytes(f"{len(tries)}".encode())
            return iter([Problem(folder, "changed", "")])
        return iter([])

    monkeypatch.setattr(delta_table, "_problems", meanwhile)
    delta_table.check(table)
    assert len(tries) == 3
    tries.clear()
    monkeypatch.setattr(delta_table, "_problems", lambda *_: tries.append(0) or iter([Problem(table, "gone", "")]))
    with refusal(DamageError, table):
        delta_table.check(table)
    assert len(tries) == 1, "the seal is the same"


def test_a_table_that_keeps_changing_is_given_up(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(table, "a")
    tries = []

    def changing(folder: Path, version: int | None = None) -> Any:
        tries.append(version)
        (folder / SEAL).write_bytes(f"{len(tries)}".encode())
        return iter([Problem(folder, "changed", "")])

    monkeypatch.setattr(delta_table, "_problems", changing)
    with pytest.raises(DamageError):
        delta_table.check(table)
    assert len(tries) == 3


def log_entry(table: Path, version: int) -> Path:
    return table / "_delta_log" / f"{version:020}.json"


def broken(table: Path) -> list[Path]:
    """Return the files with problems, as a process sees them that has read nothing before."""
    seal.forget()
    return [problem.path for problem in delta_table.problems(table)]


def test_only_log_entries_that_a_checkpoint_covers_may_be_missing(table: Path) -> None:
    for name in "ab":
        add(table, name)
    DeltaTable(str(table)).create_checkpoint()
    add(table, "c")
    log_entry(table, 0).unlink()
    log_entry(table, 1).unlink()
    assert broken(table) == []
    content = log_entry(table, 2).read_bytes()
    log_entry(table, 2).unlink()
    assert broken(table) == [log_entry(table, 2)]
    log_entry(table, 2).write_bytes(content.replace(b"2", b"3", 1))
    assert broken(table) == [log_entry(table, 2)]
    log_entry(table, 2).write_bytes(content)
    (checkpoint,) = (table / "_delta_log").glob("*.checkpoint.parquet")
    checkpoint.unlink()
    assert checkpoint in broken(table)


def test_an_entry_is_missed_where_there_is_no_checkpoint(table: Path) -> None:
    for name in "ab":
        add(table, name)
    log_entry(table, 0).unlink()
    assert broken(table) == [log_entry(table, 0)]


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": 1}\n{'])
def test_a_log_entry_without_a_hash_is_read_whole(table: Path, content: bytes) -> None:
    add(table, "a")
    kept = (table / SEAL).read_bytes()
    add(table, "b")
    (table / SEAL).write_bytes(kept)
    assert broken(table) == []
    log_entry(table, 1).write_bytes(content)
    assert broken(table) == [log_entry(table, 1)]


def test_the_hint_may_be_newer_than_the_seal_only_with_a_newer_checkpoint(table: Path) -> None:
    hint = table / "_delta_log" / "_last_checkpoint"
    add(table, "a")
    DeltaTable(str(table)).create_checkpoint()
    add(table, "b")
    content = hint.read_bytes()
    hint.write_bytes(content + b" ")
    assert broken(table) == [hint], "nothing has come since the seal"
    hint.write_bytes(content)
    DeltaTable(str(table)).create_checkpoint()
    assert hint.read_bytes() != content
    assert broken(table) == []
    hint.write_bytes(b"{")
    assert broken(table) == [hint]


def test_what_delta_cannot_open_is_a_problem_of_the_table(table: Path) -> None:
    add(table, "a")
    (table / SEAL).unlink()
    log_entry(table, 0).write_bytes(b'{"a": 1}')
    seal.forget()
    (problem,) = delta_table.problems(table)
    assert (problem.path, problem.what.startswith("the table ")) == (table, True)
    assert_names(problem.action, "pipeline=feature")
    with pytest.raises(DamageError) as caught:
        delta_table.open_table(table)
    assert caught.value.problem.path == table


def test_a_version_that_is_not_there_is_named(table: Path) -> None:
    add(table, "a")
    with pytest.raises(DamageError) as caught:
        delta_table.open_table(table, 9)
    problem = caught.value.problem
    assert (problem.path, problem.what.startswith("version 9 ")) == (table, True)
    assert_names(problem.action, "pipeline=feature")


def test_a_damaged_seal_is_named_with_what_to_do(table: Path) -> None:
    add(table, "a")
    (table / SEAL).write_bytes(b"{")
    (problem,) = delta_table.problems(table)
    assert problem.path == table / SEAL
    assert_names(problem.action, "backup", "remove", "table")
