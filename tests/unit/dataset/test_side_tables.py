from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq
from tests.naming import assert_names, refusal
from tests.side_tables import USERS, Rows, keys, loaded, prepare

from batch_nlp.config import ColumnConfig, Config, Role
from batch_nlp.dataset.side_tables import table_files
from batch_nlp.errors import DataError
from batch_nlp.inference.inbox import inbox_files
from batch_nlp.storage.layers import Layers


def test_a_table_is_read_once_and_again_when_its_files_change(
    config: Config, write_lines: Callable[[Path, Rows], Path]
) -> None:
    folder = Path(config.dataset.raw_dir)
    write_lines(folder / "user.json", USERS)
    target = prepare(config)
    assert target is not None
    before = target.stat().st_ino
    assert prepare(config) == target
    assert target.stat().st_ino == before
    write_lines(folder / "user_2.json", [{**USERS[0], "user_id": "u3"}])
    write_lines(Path(config.inference.inbox) / "user_new.json", [{**USERS[0], "user_id": "u4"}])
    prepare(config)
    assert pq.read_table(target)["user_id"].to_pylist() == ["u1", "u2", "u3", "u4"]


def test_a_table_that_is_gone_is_used_as_it_was_with_a_warning(
    config: Config, write_lines: Callable[[Path, Rows], Path], warnings: list[str]
) -> None:
    file = write_lines(Path(config.dataset.raw_dir) / "user.json", USERS)
    target = prepare(config)
    file.unlink()
    assert prepare(config) == target
    assert_names(warnings[-1], "user")


def test_a_damaged_table_is_made_again_and_refused_where_that_is_not_possible(
    config: Config, write_lines: Callable[[Path, Rows], Path], warnings: list[str]
) -> None:
    """Guarantee 2."""
    file = write_lines(Path(config.dataset.raw_dir) / "user.json", USERS)
    target = prepare(config)
    assert target is not None
    content = target.read_bytes()
    damaged = content[:200] + bytes([content[200] ^ 4]) + content[201:]
    for damage in (damaged, content[:-9], b""):
        target.write_bytes(damage)
        assert prepare(config) == target
        assert str(target) in warnings[-1]
        assert pq.read_table(target)["user_id"].to_pylist() == ["u1", "u2"]
    file.unlink()
    target.write_bytes(damaged)
    with refusal(DataError, target.name):
        prepare(config)
    target.unlink()
    with refusal(DataError, target.name):
        prepare(config)


def test_a_table_may_lack_all_but_its_key(
    config: Config, connection: duckdb.DuckDBPyConnection, write_lines: Callable[[Path, Rows], Path]
) -> None:
    write_lines(Path(config.dataset.raw_dir) / "user.json", [{"user_id": "u1", "elite": "2012"}])
    found = loaded(config, connection, user=prepare(config)).look_up(keys(("u1", None)))
    assert found["user_elite"].tolist() == ["2012"]
    assert found["user_yelping_since"].isna().all()


def test_a_table_without_its_key_is_refused(config: Config, write_lines: Callable[[Path, Rows], Path]) -> None:
    write_lines(Path(config.dataset.raw_dir) / "user.json", [{"id": "u1"}])
    with refusal(DataError, "user.json", "user_id"):
        prepare(config)
    assert not (Path(config.paths.data) / "02_intermediate" / "sample" / "user.parquet").exists()


def test_broken_rows_of_a_table_are_in_quarantine(config: Config, write_lines: Callable[[Path, Rows], Path]) -> None:
    file = write_lines(Path(config.dataset.raw_dir) / "user.json", [*USERS, {**USERS[0], "user_id": None}])
    file.write_text(file.read_text() + '{"user_id": "cu')
    prepare(config)
    layers = Layers(Path(config.paths.data), "sample")
    rows = pq.read_table(layers.intermediate / "quarantine" / "user.parquet").to_pylist()
    assert sorted(row["reason"].split()[0] for row in rows) == ["broken", "user_id"]


def test_a_file_whose_name_fits_messages_and_a_table_holds_messages(
    config: Config, write_lines: Callable[[Path, Rows], Path]
) -> None:
    inbox = Path(config.inference.inbox)
    write_lines(inbox / "user_reviews.json", USERS)
    write_lines(inbox / "user.json", USERS)
    tables = {table.name: table_files(config.dataset, table, inbox) for table in config.dataset.side_tables}
    assert [file.name for file in tables["user"]] == ["user.json"]
    assert tables["business"] == []
    assert [file.name for file in inbox_files(inbox, config.dataset)] == ["user_reviews.json"]


def test_a_file_whose_name_fits_two_tables_is_refused_by_name(
    three: Config, write_lines: Callable[[Path, Rows], Path]
) -> None:
    """Rather than read as both."""
    write_lines(Path(three.dataset.raw_dir) / "users_by_town.json", USERS)
    for name in ("user", "towns"):
        with refusal(DataError, "users_by_town.json", "user", "towns"):
            prepare(three, name)


def test_a_table_is_read_again_when_other_columns_are_declared(
    config: Config, write_lines: Callable[[Path, Rows], Path]
) -> None:
    write_lines(Path(config.dataset.raw_dir) / "user.json", USERS)
    target = prepare(config)
    assert target is not None
    (table,) = (table for table in config.dataset.side_tables if table.name == "user")
    table.columns["review_count"] = ColumnConfig(Role.number)
    prepare(config)
    assert pq.read_table(target)["review_count"].to_pylist() == [3, 0]


def test_a_column_of_a_table_that_is_ignored_is_not_read(
    config: Config, connection: duckdb.DuckDBPyConnection, write_lines: Callable[[Path, Rows], Path]
) -> None:
    write_lines(Path(config.dataset.raw_dir) / "user.json", USERS)
    (table,) = (table for table in config.dataset.side_tables if table.name == "user")
    table.columns["review_count"] = ColumnConfig(Role.ignore)
    target = prepare(config)
    assert target is not None
    assert "review_count" not in pq.read_schema(target).names
    found = loaded(config, connection, user=target).look_up(keys(("u1", None)))
    assert "user_elite" in found
    assert "user_review_count" not in found


def test_rows_of_a_table_with_times_need_one(three: Config, write_lines: Callable[[Path, Rows], Path]) -> None:
    rows: Rows = [{"shop": "b", "since": since, "days": 1} for since in ("2020-01-01", None, "soon")]
    write_lines(Path(three.dataset.raw_dir) / "hours.json", rows)
    target = prepare(three, "open hours")
    assert target is not None
    assert pq.read_table(target)["since"].to_pylist() == [pd.Timestamp("2020-01-01", tz="UTC")]
    quarantined = pq.read_table(target.parent / "quarantine" / "open hours.parquet").to_pylist()
    assert [(row["column"], row["source_line"]) for row in quarantined] == [("since", 2), ("since", 3)]
