from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest

from batch_nlp.config import Config
from batch_nlp.dataset.side_tables import SideTables, prepare_side_table
from batch_nlp.errors import DataError
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
    return prepare_side_table(config.dataset, table, Path(config.inference.inbox), layers, config.engine)


def keys(*pairs: tuple[str | None, str | None]) -> pd.DataFrame:
    users, businesses = zip(*pairs, strict=True)
    return pd.DataFrame(
        {"user_id": pd.Series(users, dtype=object), "business_id": pd.Series(businesses, dtype=object)}
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
    assert found["user_since"].dt.year.fillna(0).astype(int).tolist() == [2011, 2010, 2010, 0, 0, 2011]
    assert found["user_review_count"].fillna(-1).tolist() == [0, 3, 3, -1, -1, 0]


def test_rows_without_a_key_join_nothing(make_side_tables: Callable[[Rows, Rows], SideTables]) -> None:
    tables = make_side_tables([{**USERS[0], "user_id": None}, USERS[1]], [])
    assert tables.look_up(keys((None, None)))["user_elite"].tolist() == [None]


def test_values_that_cannot_be_read_are_not_known(make_side_tables: Callable[[Rows, Rows], SideTables]) -> None:
    users = [{"user_id": "u1", "yelping_since": "long ago", "elite": [2012, 2013], "review_count": "many"}]
    found = make_side_tables(users, []).look_up(keys(("u1", None)))
    assert found[["user_since", "user_review_count"]].isna().all(axis=None)
    assert found["user_elite"].tolist() == ["2012,2013"]


def test_without_side_tables_nothing_is_known(
    config: Config, connection: duckdb.DuckDBPyConnection, warnings: list[str]
) -> None:
    assert prepare(config, "user") is None
    assert prepare(config, "business") is None
    assert [line.split(":")[0].split(" (")[0] for line in warnings] == ["No user file", "No business file"]
    found = SideTables(connection, None, None).look_up(keys(("u1", "b1")))
    assert found.isna().all(axis=None)
    assert str(found["user_since"].dtype) == "datetime64[us, UTC]"


def test_an_empty_batch_is_looked_up(connection: duckdb.DuckDBPyConnection) -> None:
    assert SideTables(connection, None, None).look_up(keys(("u", "b")).iloc[:0]).empty


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
    found = SideTables(connection, prepare(config), None).look_up(keys(("u1", None)))
    assert found["user_elite"].tolist() == ["2012"]
    assert found["user_since"].isna().all()


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
