"""Tables that do not grow with their commits, and versions that models name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from tests.naming import refusal

from batch_nlp.errors import DataError
from batch_nlp.storage import compaction, delta_table
from batch_nlp.storage.delta_files import content_version, data_files, log_files


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(compaction, "_COMMITS", 8)
    return tmp_path / "table"


def append(table: Path, first: int, count: int, pinned: tuple[int, ...] = ()) -> None:
    for number in range(first, first + count):
        rows = pa.table({"message_id": [f"m{number}"], "vector": pa.array([[1.0, 2.0]], pa.list_(pa.float32()))})
        delta_table.append(table, rows, {"run": str(number)})
        compaction.compact(table, lambda: pinned)


def ids(table: Path, version: int | None = None) -> set[str]:
    opened = delta_table.open_table(table, version)
    assert opened is not None
    found = opened.to_pyarrow_table()["message_id"].to_pylist()
    assert len(found) == len(set(found))
    return set(found)


def files(table: Path) -> int:
    return sum(path.is_file() for path in table.rglob("*"))


def test_files_of_rows_and_of_the_log_stay_few(table: Path) -> None:
    append(table, 0, 60)
    sixty = files(table)
    append(table, 60, 60)
    assert ids(table) == {f"m{number}" for number in range(120)}
    # at most nine commits with a file each, those merged before, and the seal
    assert max(sixty, files(table)) <= 40
    # small row groups are slow to read
    assert {pq.read_metadata(path).num_row_groups for path in table.glob("*.parquet")} == {1}
    assert delta_table.problems(table) == []


def test_versions_that_models_name_stay_readable(table: Path) -> None:
    append(table, 0, 60, pinned=(0, 3, 17))
    for version in (0, 3):
        assert ids(table, version) == {f"m{number}" for number in range(version + 1)}
    assert len(ids(table, 17)) >= 16  # the commits of compactions are versions too
    with refusal(DataError, table.name, 4):
        delta_table.open_table(table, 4)
    before = files(table)
    append(table, 60, 9)  # no model names them any more
    assert files(table) < before
    with pytest.raises(DataError):
        delta_table.open_table(table, 3)


def test_merging_files_is_no_change_of_the_rows(table: Path) -> None:
    """What was trained on these labels needs no training again."""
    append(table, 0, 8)
    before = DeltaTable(str(table))
    assert content_version(before) == before.version() == 7
    delta_table.append(
        table, pa.table({"message_id": ["last"], "vector": pa.array([[0.0]], pa.list_(pa.float32()))}), {}
    )
    compaction.compact(table, tuple)
    after = DeltaTable(str(table))
    assert (after.version(), content_version(after)) == (9, 8)
    assert len(data_files(after)) == 1


@pytest.mark.parametrize("step", ["after the commit", "after the seal", "half removed"])
def test_a_killed_compaction_is_completed_by_the_next(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    append(table, 0, 8)
    shutil.copytree(table, tmp_path / "before")
    append(table, 8, 1)
    if step == "after the commit":
        shutil.rmtree(table)
        shutil.copytree(tmp_path / "before", table)
        monkeypatch.setattr(compaction, "_forget", lambda *_: None)
        append(table, 8, 1)
        monkeypatch.undo()
        monkeypatch.setattr(compaction, "_COMMITS", 8)
    else:
        left = [path for path in [*log_files(tmp_path / "before"), "part-00000003.parquet"] if "last" not in path]
        for path in left[:: 1 if step == "after the seal" else 2]:
            shutil.copyfile(tmp_path / "before" / path, table / path)
    assert delta_table.problems(table) == []
    assert ids(table) == {f"m{number}" for number in range(9)}
    append(table, 9, 9)
    assert ids(table) == {f"m{number}" for number in range(18)}
    assert not (table / "part-00000003.parquet").exists()
    assert len(log_files(table)) <= 12


def test_a_damaged_table_is_not_compacted(table: Path) -> None:
    append(table, 0, 8)
    file = table / "part-00000002.parquet"
    content = bytearray(file.read_bytes())
    content[20] ^= 1
    file.write_bytes(content)
    with refusal(DataError, file.name):
        append(table, 8, 1)
    assert len(data_files(DeltaTable(str(table)))) == 8


def test_nothing_is_removed_where_it_is_not_known_what_models_name(table: Path) -> None:
    append(table, 0, 8)
    rows = pa.table({"message_id": ["last"], "vector": pa.array([[0.0]], pa.list_(pa.float32()))})
    delta_table.append(table, rows, {})
    compaction.compact(table, lambda: None)
    assert len(data_files(DeltaTable(str(table)))) == 1
    assert ids(table, 3) == {"m0", "m1", "m2", "m3"}
