from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest

from batch_nlp.config import ColumnsConfig
from batch_nlp.dataset.side_tables import SideTables
from batch_nlp.steps.extract import Extract
from batch_nlp.storage.ledger import Ledger

MakeRaw = Callable[..., pd.DataFrame]
MakeTables = Callable[[list[Any], list[Any]], SideTables]
OUTPUT = [
    "message_id", "user_id", "business_id", "text", "text_hash", "written_at", "target", "source_file", "source_line",
    "user_since", "user_elite", "user_review_count", "business_categories",
]  # fmt: skip


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def extract(columns: ColumnsConfig, connection: duckdb.DuckDBPyConnection, ledger: Ledger) -> Extract:
    return Extract(columns, SideTables(connection, None, None), ledger)


def test_a_raw_row_becomes_a_typed_message_with_all_that_is_known(
    columns: ColumnsConfig, make_side_tables: MakeTables, ledger: Ledger, raw_frame: MakeRaw
) -> None:
    users = [{"user_id": "u", "yelping_since": "2010-02-03 04:05:06", "elite": "2012", "review_count": 7}]
    tables = make_side_tables(users, [{"business_id": "b", "categories": "Bars, Pubs"}])
    out = Extract(columns, tables, ledger).transform(raw_frame({"text": "fine", "stars": 4.0}))
    assert out.columns.tolist() == OUTPUT
    message = out.iloc[0].to_dict()
    # the hash is that of b2sum -l 128
    assert message.pop("text_hash") == "904487a163bd8a70172346f3fc67c47d"
    assert message == {
        "message_id": "m0",
        "user_id": "u",
        "business_id": "b",
        "text": "fine",
        "written_at": pd.Timestamp("2020-01-01T10:00:00Z"),
        "target": "4",
        "source_file": "review.json",
        "source_line": 1,
        "user_since": pd.Timestamp("2010-02-03T04:05:06Z"),
        "user_elite": "2012",
        "user_review_count": 7.0,
        "business_categories": "Bars, Pubs",
    }
    assert str(out["written_at"].dtype) == str(out["user_since"].dtype) == "datetime64[us, UTC]"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (4, "4"), (4.0, "4"), ("4", "4"), ("4.0", "4"), (" 4 ", "4"), (Decimal("4.0"), "4"), (3.5, "3.5"),
        ("good ", "good"), (None, None), (math.nan, None), ("", ""), (float("inf"), "inf"),
    ],
)  # fmt: skip
def test_one_target_is_read_the_same_however_it_is_written(
    extract: Extract, raw_frame: MakeRaw, value: object, expected: str | None
) -> None:
    assert extract.transform(raw_frame({"stars": value}))["target"].tolist() == [expected]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2020-02-29 23:59:59", "2020-02-29T23:59:59Z"),
        ("2020-02-29T23:59:59.123456", "2020-02-29T23:59:59.123456Z"),
        ("2020-02-29", "2020-02-29T00:00:00Z"),
        ("2020-02-29T01:00:00+02:00", "2020-02-28T23:00:00Z"),
        (dt.datetime(2020, 2, 29, 1, tzinfo=dt.timezone(dt.timedelta(hours=2))), "2020-02-28T23:00:00Z"),
        (dt.datetime(2020, 2, 29, 1), "2020-02-29T01:00:00Z"),  # noqa: DTZ001 parquet files have such
        (dt.date(2020, 2, 29), "2020-02-29T00:00:00Z"),
    ],
)
def test_dates_are_read_as_utc(extract: Extract, raw_frame: MakeRaw, value: object, expected: str) -> None:
    out = extract.transform(raw_frame({"date": "2019-01-01 00:00:00"}, {"date": value}))
    assert out["written_at"].tolist() == [pd.Timestamp("2019-01-01T00:00:00Z"), pd.Timestamp(expected)]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("date", "yesterday"), ("date", "2019-02-30"), ("date", ""), ("date", 1.5), ("date", [2020]),
        ("date", {"a": 1}),
        ("date", True), ("text", ["fine"]), ("text", {"en": "fine"}), ("text", True), ("text", b"fine"),
        ("review_id", ["m"]), ("stars", {}), ("stars", False), ("user_id", ["u"]), ("business_id", {"id": 1}),
    ],
)  # fmt: skip
def test_what_cannot_be_read_goes_to_quarantine_with_column_and_value(
    extract: Extract, ledger: Ledger, raw_frame: MakeRaw, column: str, value: object, tmp_path: Path
) -> None:
    frame = raw_frame({}, {column: value}, *[{} for _ in range(60)])
    out = extract.transform(frame)
    assert out.index.tolist() == [0, *range(2, 62)]
    assert ledger.reasons == {("extract", f"{column} cannot be read"): 1}
    ledger.write_quarantine(tmp_path / "q.parquet")
    row = pq.read_table(tmp_path / "q.parquet").to_pylist()[0]
    assert (row["column"], row["value"], row["source_line"]) == (column, str(value), 2)
    assert row["message_id"] == (None if column == "review_id" else "m1")


def test_a_row_with_two_unreadable_values_is_quarantined_once(
    extract: Extract, ledger: Ledger, raw_frame: MakeRaw
) -> None:
    assert extract.transform(raw_frame({"text": [], "date": "x", "stars": {}})).empty
    assert ledger.quarantined == 1


def test_missing_values_go_on_for_validate_to_judge(extract: Extract, ledger: Ledger, raw_frame: MakeRaw) -> None:
    nothing = {"review_id": None, "text": None, "date": None, "stars": None, "user_id": None, "business_id": None}
    out = extract.transform(raw_frame(nothing))
    assert out.drop(columns=["source_file", "source_line"]).isna().all(axis=None)
    assert ledger.quarantined == 0


def test_numbers_that_stand_for_text_become_text(extract: Extract, raw_frame: MakeRaw) -> None:
    out = extract.transform(raw_frame({"review_id": 17, "text": 42, "user_id": 3}))
    assert out[["message_id", "text", "user_id"]].iloc[0].tolist() == ["17", "42", "3"]


def test_the_index_of_the_rows_and_the_input_stay(extract: Extract, raw_frame: MakeRaw) -> None:
    frame = raw_frame({}, {"date": "x"}, {}).set_index(pd.Index([30, 10, 20]))
    before = frame.copy(deep=True)
    assert extract.transform(frame).index.tolist() == [30, 20]
    pd.testing.assert_frame_equal(frame, before)


def test_a_batch_without_rows_has_the_same_columns(extract: Extract, raw_frame: MakeRaw) -> None:
    full, empty = extract.transform(raw_frame({})), extract.transform(raw_frame({}).iloc[:0])
    assert empty.columns.tolist() == full.columns.tolist()
    assert empty["written_at"].dtype == full["written_at"].dtype


def test_source_columns_go_by_the_names_of_the_settings(
    columns: ColumnsConfig, connection: duckdb.DuckDBPyConnection, ledger: Ledger, raw_frame: MakeRaw
) -> None:
    frame = raw_frame({}).rename(columns={"text": "body", "stars": "mark"}).drop(columns=["user_id", "business_id"])
    renamed = replace(columns, text="body", target="mark", user_id="who")
    out = Extract(renamed, SideTables(connection, None, None), ledger).transform(frame)
    assert out[["text", "target"]].iloc[0].tolist() == ["fine", "5"]
    assert out[["user_id", "business_id"]].iloc[0].tolist() == [None, None]
