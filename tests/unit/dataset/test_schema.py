"""Guarantee 17: a changed schema is refused whole, all failures in one message; an extra column is a warning."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batch_nlp.config import Config
from batch_nlp.dataset.schema import check_schema, remember_columns
from batch_nlp.errors import DataError, ExitCode
from batch_nlp.storage.layers import Layers

Rows = list[dict[str, Any]]
TABLES = {
    "review": ["review_id", "text", "date", "user_id", "business_id", "stars"],
    "user": ["user_id", "yelping_since", "elite", "review_count"],
    "business": ["business_id", "categories"],
}
COLUMNS = [(table, column) for table, columns in TABLES.items() for column in columns]


@pytest.fixture
def config(tmp_path: Path, make_config: Callable[..., Config]) -> Config:
    return make_config(tmp_path)


@pytest.fixture
def tables(sample_raw: Path) -> dict[str, Rows]:
    found: dict[str, Rows] = {}
    for table in TABLES:
        lines = next(sample_raw.glob(f"*{table}*")).read_text().splitlines()
        found[table] = [json.loads(line) for line in lines if line.endswith("}")][:200]
    return found


def check(config: Config, tables: dict[str, Rows], remember: bool = False, labels: bool = True) -> None:
    folder = Path(config.dataset.raw_dir)
    folder.mkdir(parents=True, exist_ok=True)
    for table, rows in tables.items():
        (folder / f"{table}.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    layers = Layers(Path(config.paths.data), config.dataset.name)
    messages, inbox = [folder / "review.json"], folder / "inbox"
    check_schema(config.dataset, config.dataset.columns, messages, inbox, layers, labels)
    if remember:
        remember_columns(config.dataset, config.dataset.columns, messages, inbox, layers)


def without(rows: Rows, column: str) -> Rows:
    return [{name: value for name, value in row.items() if name != column} for row in rows]


def retyped(rows: Rows, column: str) -> Rows:
    return [{**row, column: {"value": row.get(column)}} for row in rows]


@pytest.mark.parametrize(("table", "column"), COLUMNS)
@pytest.mark.parametrize("change", [without, retyped])
def test_each_column_of_each_table(
    config: Config, tables: dict[str, Rows], table: str, column: str, change: Callable[[Rows, str], Rows]
) -> None:
    """Guarantee 17."""
    check(config, tables, remember=True)
    with pytest.raises(DataError, match=rf"{table}\.json: column.* {column}") as refused:
        check(config, {**tables, table: change(tables[table], column)})
    assert refused.value.exit_code is ExitCode.DATA


def test_all_failures_are_in_one_message(config: Config, tables: dict[str, Rows]) -> None:
    """Guarantee 17."""
    check(config, tables, remember=True)
    changed = {table: without(retyped(rows, TABLES[table][1]), TABLES[table][0]) for table, rows in tables.items()}
    with pytest.raises(DataError, match="6 problems with columns; nothing was read") as refused:
        check(config, changed)
    for table, (first, second, *_) in TABLES.items():
        assert f"{table}.json: column(s) {first} are missing" in str(refused.value)
        assert f"{table}.json: column {second} has no" in str(refused.value)


@pytest.mark.parametrize(
    ("column", "value"),
    [("date", 1_577_934_245), ("date", "02.01.2020"), ("text", 7), ("review_id", True), ("stars", [4])],
)
def test_values_of_another_kind_are_another_type(
    config: Config, tables: dict[str, Rows], column: str, value: object
) -> None:
    """Guarantee 17."""
    rows = [{**row, column: value} for row in tables["review"]]
    with pytest.raises(DataError, match=f"column {column} has no"):
        check(config, {"review": rows})
    # a few such rows are broken rows, not another schema
    check(config, {"review": [*rows[:30], *tables["review"][30:]]})
    check(config, {"review": rows[:10]})


def test_labels_and_columns_that_a_source_never_had_are_not_missed(config: Config, tables: dict[str, Rows]) -> None:
    plain = without(without(tables["review"], "user_id"), "stars")
    check(config, {"review": plain}, remember=True)
    check(config, {"review": plain})
    check(config, tables, remember=True)
    check(config, {"review": without(tables["review"], "stars")}, labels=False)
    # few rows may happen to lack what is optional
    check(config, {"review": plain[:10]})
