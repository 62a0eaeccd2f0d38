from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
from tests.naming import assert_names
from tests.side_tables import USERS, Rows, keys, loaded, prepare

from batch_nlp.config import ColumnConfig, Config, Role
from batch_nlp.dataset.side_table_join import SideTables


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
    assert len(warnings) == 2
    for warning, name in zip(warnings, ("user", "business"), strict=True):
        assert_names(warning, name)
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


def test_it_is_told_how_many_messages_found_their_row(
    make_side_tables: Callable[[Rows, Rows], SideTables], warnings: list[str]
) -> None:
    tables = make_side_tables(USERS, [{"business_id": "b", "categories": "Bars"}])
    warnings.clear()
    tables.look_up(keys(("u1", "C1"), ("stranger", None)))
    tables.look_up(keys(("u2", "C2")))
    tables.log()
    assert len(warnings) == 1
    assert_names(warnings[0], 0, 3, "business", "business_id")
