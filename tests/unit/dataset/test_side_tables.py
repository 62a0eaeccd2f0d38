from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest

from batch_nlp.config import ColumnConfig, Config, Role
from batch_nlp.dataset.columns import joins
from batch_nlp.dataset.side_tables import SideTables, prepare_side_table, table_files
from batch_nlp.errors import DataError
from batch_nlp.inference.batches import inbox_files
from batch_nlp.storage.layers import Layers

Rows = list[dict[str, Any]]
USERS: Rows = [
    {"user_id": "u1", "yelping_since": "2010-01-01 00:00:00", "elite": "2012,2013", "review_count": 3},
    {"user_id": "u2", "yelping_since": "2011-01-01 00:00:00", "elite": "", "review_count": 0},
]


@pytest.fixture
def config(tmp_path: Path, make_config: Callable[..., Config]) -> Config:
    return make_config(tmp_path)


def prepare(config: Config, table: str = "user") -> Path | None:
    layers = Layers(Path(config.paths.data), "sample")
    (found,) = (known for known in config.dataset.side_tables if known.name == table)
    return prepare_side_table(config.dataset, found, Path(config.inference.inbox), layers, config.engine)


def loaded(config: Config, connection: duckdb.DuckDBPyConnection, **files: Path | None) -> SideTables:
    """Return the side tables of the sample; those that are not given are not there."""
    dataset = config.dataset
    return SideTables(
        connection,
        joins(dataset.messages.columns, dataset.side_tables),
        {table.name: files.get(table.name) for table in dataset.side_tables},
    )


def keys(*pairs: tuple[str | None, str | None]) -> pd.DataFrame:
    users, businesses = zip(*pairs, strict=True)
    return pd.DataFrame(
        {
            "key:user_id": pd.Series(users, dtype=object),
            "key:business_id": pd.Series(businesses, dtype=object),
            "written_at": pd.Timestamp("2020-01-01", tz="UTC").as_unit("us"),
        }
    ).set_index(pd.Index([10 * number for number in range(len(pairs))]))


def test_each_message_gets_one_row_in_its_order_however_often_a_key_occurs(
    make_side_tables: Callable[[Rows, Rows], SideTables],
) -> None:
    doubled = [*USERS, {**USERS[0], "elite": "another"}, USERS[1], USERS[0]]
    tables = make_side_tables(doubled, [{"business_id": "b", "categories": text} for text in ("Bars", "Food", None)])
    messages = keys(("u2", "b"), ("u1", "b"), ("u1", None), ("stranger", "x"), (None, None), ("u2", "b"))
    found = tables.look_up(messages)
    assert found.index.tolist() == messages.index.tolist()
    # the first row of a key counts
    assert found["user_elite"].tolist() == ["", "2012,2013", "2012,2013", None, None, ""]
    assert found["business_categories"].tolist() == ["Bars", "Bars", None, None, None, "Bars"]
    since = {"u1": "2010-01-01 00:00:00", "u2": "2011-01-01 00:00:00"}
    assert found["user_yelping_since"].tolist() == [since.get(user) for user in messages["key:user_id"]]
    # what is not declared is not read
    assert found.columns.tolist() == ["user_yelping_since", "user_elite", "business_categories"]


def test_rows_without_a_key_join_nothing(make_side_tables: Callable[[Rows, Rows], SideTables]) -> None:
    tables = make_side_tables([{**USERS[0], "user_id": None}, USERS[1]], [])
    assert tables.look_up(keys((None, None)))["user_elite"].tolist() == [None]


def test_values_that_cannot_be_read_are_not_known(
    config: Config, connection: duckdb.DuckDBPyConnection, write_lines: Callable[[Path, Rows], Path]
) -> None:
    (table,) = (table for table in config.dataset.side_tables if table.name == "user")
    table.columns["age"] = ColumnConfig(Role.number)
    table.columns["kind"] = ColumnConfig(Role.category)
    users = [{"user_id": "u1", "elite": [2012, 2013], "age": "many", "kind": {"a": 1}}]
    write_lines(Path(config.dataset.raw_dir) / "user.json", users)
    found = loaded(config, connection, user=prepare(config)).look_up(keys(("u1", None)))
    assert found["user_age"].isna().tolist() == [True]
    assert found[["user_kind", "user_elite"]].iloc[0].tolist() == [None, "2012,2013"]


def test_without_side_tables_nothing_is_known(
    config: Config, connection: duckdb.DuckDBPyConnection, warnings: list[str]
) -> None:
    assert prepare(config, "user") is None
    assert prepare(config, "business") is None
    assert [line.split(":")[0].split(" (")[0] for line in warnings] == ["No user file", "No business file"]
    found = loaded(config, connection).look_up(keys(("u1", "b1")))
    assert found.isna().all(axis=None)
    assert found.columns.tolist() == ["user_yelping_since", "user_elite", "business_categories"]


def test_an_empty_batch_is_looked_up(config: Config, connection: duckdb.DuckDBPyConnection) -> None:
    tables = loaded(config, connection)
    full, empty = tables.look_up(keys(("u", "b"))), tables.look_up(keys(("u", "b")).iloc[:0])
    assert empty.empty
    assert empty.columns.tolist() == full.columns.tolist()


def test_a_source_without_side_tables_joins_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    found = SideTables(connection, [], {}).look_up(keys(("u", "b"), ("v", "c")))
    assert found.shape == (2, 0)
    assert found.index.tolist() == [0, 10]


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
    assert "the one read before is used" in warnings[-1]


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
    with pytest.raises(DataError, match=f"{target.name}: damaged"):
        prepare(config)
    target.unlink()
    with pytest.raises(DataError, match=f"{target.name}: missing"):
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
    with pytest.raises(DataError, match=r"user\.json: column\(s\) user_id are missing"):
        prepare(config)
    assert not (Path(config.paths.data) / "02_intermediate" / "sample" / "user.parquet").exists()


def test_broken_rows_of_a_table_are_in_quarantine(config: Config, write_lines: Callable[[Path, Rows], Path]) -> None:
    file = write_lines(Path(config.dataset.raw_dir) / "user.json", [*USERS, {**USERS[0], "user_id": None}])
    file.write_text(file.read_text() + '{"user_id": "cu')
    prepare(config)
    layers = Layers(Path(config.paths.data), "sample")
    rows = pq.read_table(layers.intermediate / "quarantine" / "user.parquet").to_pylist()
    assert sorted(row["reason"].split(":")[0] for row in rows) == ["broken JSON", "user_id is missing"]


SHOPS = (
    "dataset.side_tables=[{name: user, files: '*user*', key: user_id, columns: {elite: {role: raw}}},"
    " {name: open hours, files: hours*, key: shop, columns: {since: {role: time}, days: {role: number}}},"
    " {name: towns, files: '*town*', key: zip, columns: {size: {role: number}, state: {role: category}}}]"
)


@pytest.fixture
def three(tmp_path: Path, make_config: Callable[..., Config]) -> Config:
    return make_config(
        tmp_path,
        SHOPS,
        "+dataset.messages.columns.business_id.name=shop",
        "dataset.messages.columns.business_id.of=open hours",
        "+dataset.messages.columns.zip={role: key, of: towns}",
    )


def test_there_may_be_any_number_of_tables_of_any_names(
    three: Config, connection: duckdb.DuckDBPyConnection, write_lines: Callable[[Path, Rows], Path]
) -> None:
    folder = Path(three.dataset.raw_dir)
    write_lines(folder / "user.json", USERS)
    write_lines(folder / "hours.json", [{"shop": "b", "since": "2019-01-01", "days": 5}])
    (folder / "towns.csv").write_text("zip,size,state\n00100,1e3,IT\n10115,500,DE\n")
    files = {table.name: prepare(three, table.name) for table in three.dataset.side_tables}
    found = loaded(three, connection, **files).look_up(
        keys(("u1", "b"), (None, "c")).assign(**{"key:zip": pd.Series(["00100", "10115"], [0, 10], object)})
    )
    assert found["user_elite"].tolist() == ["2012,2013", None]
    assert found["shop_days"].fillna(0).tolist() == [5, 0]
    assert found["towns_size"].tolist() == [1000, 500]
    assert found["towns_state"].tolist() == ["IT", "DE"]


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
        with pytest.raises(DataError, match=r"users_by_town\.json: its name fits the side tables user and towns"):
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
    assert [(row["reason"], row["source_line"]) for row in quarantined] == [
        ("since is missing", 2),
        ("since is missing", 3),
    ]


def test_it_is_told_how_many_messages_found_their_row(
    make_side_tables: Callable[[Rows, Rows], SideTables], warnings: list[str]
) -> None:
    tables = make_side_tables(USERS, [{"business_id": "b", "categories": "Bars"}])
    warnings.clear()
    tables.look_up(keys(("u1", "C1"), ("stranger", None)))
    tables.look_up(keys(("u2", "C2")))
    tables.log()
    assert warnings == ["0 of 3 messages found their row in the business table by business_id"]
