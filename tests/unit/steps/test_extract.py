from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.left_out import reasons
from tests.settings import default

from batch_nlp.config import ColumnConfig, Config, LabelConfig, Role, SideTableConfig
from batch_nlp.dataset.labels import Labels
from batch_nlp.dataset.message_columns import joins
from batch_nlp.dataset.side_table_join import SideTables
from batch_nlp.dataset.side_tables import prepare_side_table
from batch_nlp.fields import Field, FieldRole
from batch_nlp.steps.extract import Extract
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import Ledger

MakeRaw = Callable[..., pd.DataFrame]
MakeTables = Callable[[list[Any], list[Any]], SideTables]
Rows = list[dict[str, Any]]
STARS = Labels(default(LabelConfig, column="stars", classes={"negative": [1, 2], "neutral": [3], "positive": [4, 5]}))
OUTPUT = [
    "message_id", "text", "text_hash", "written_at", "target", "key:user_id", "key:business_id", "group", "source_file",
    "source_line", "user_yelping_since", "user_elite", "business_categories",
]  # fmt: skip


def column(role: str, **more: Any) -> ColumnConfig:
    return ColumnConfig(Role(role), **more)


def raw(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return raw rows as the reader gives them: object columns, and where each row came from."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    frame = pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=object) for name in names})
    return frame.assign(source_file="a.json", source_line=range(1, len(rows) + 1))


def run(columns: dict[str, ColumnConfig], *rows: dict[str, Any], **more: Any) -> pd.DataFrame:
    return Extract(columns, [], **more).transform(raw(*rows))


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def extract(columns: dict[str, ColumnConfig], ledger: Ledger) -> Extract:
    return Extract(columns, [], labels=STARS, ledger=ledger)


def test_a_raw_row_becomes_a_typed_message_with_all_that_is_known(
    columns: dict[str, ColumnConfig],
    make_config: Callable[..., Config],
    make_side_tables: MakeTables,
    ledger: Ledger,
    raw_frame: MakeRaw,
    tmp_path: Path,
) -> None:
    users = [{"user_id": "u", "yelping_since": "2010-02-03 04:05:06", "elite": "2012", "review_count": 7}]
    tables = make_side_tables(users, [{"business_id": "b", "categories": "Bars, Pubs"}])
    joined = joins(columns, make_config(tmp_path).dataset.side_tables)
    step = Extract(columns, joined, None, tables, STARS, ledger)
    out = step.transform(raw_frame({"text": "fine", "stars": 4.0}))
    assert out.columns.tolist() == OUTPUT
    message = out.iloc[0].to_dict()
    # the hash is that of b2sum -l 128
    assert message.pop("text_hash") == "904487a163bd8a70172346f3fc67c47d"
    assert pd.isna(message.pop("group"))
    assert message == {
        "message_id": "m0",
        "key:user_id": "u",
        "key:business_id": "b",
        "text": "fine",
        "written_at": pd.Timestamp("2020-01-01T10:00:00Z"),
        "target": "4",
        "source_file": "review.json",
        "source_line": 1,
        "user_yelping_since": "2010-02-03 04:05:06",
        "user_elite": "2012",
        "business_categories": "Bars, Pubs",
    }
    assert str(out["written_at"].dtype) == "datetime64[us, UTC]"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (4, "4"), (4.0, "4"), ("4", "4"), ("4.0", "4"), (" 4 ", "4"), (Decimal("4.0"), "4"), (3.5, "3.5"),
        ("good ", "good"), (None, None), (math.nan, None), ("", None), (float("inf"), "inf"),
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
    ("given", "value", "expected"),
    [
        ({"format": "%m/%d/%Y %H:%M"}, "2/21/2015 23:59", "2015-02-21T23:59:00Z"),
        ({"format": "%B %d, %Y"}, "June 3, 2012", "2012-06-03T00:00:00Z"),
        ({"format": "%a %b %d %H:%M:%S %z %Y"}, "Tue Oct 31 22:10:47 +0000 2017", "2017-10-31T22:10:47Z"),
        ({"format": "%Y-%m-%d %H:%M", "zone": "Europe/Rome"}, "2021-01-15 12:00", "2021-01-15T11:00:00Z"),
        # daylight saving time
        ({"format": "%Y-%m-%d %H:%M", "zone": "Europe/Rome"}, "2021-07-15 12:00", "2021-07-15T10:00:00Z"),
        ({"zone": "Europe/Rome"}, "2021-07-15 12:00:00", "2021-07-15T10:00:00Z"),
        # a time that names its zone is taken at its word
        ({"zone": "Europe/Rome"}, "2021-07-15T12:00:00Z", "2021-07-15T12:00:00Z"),
        ({"zone": "Europe/Rome"}, "2021-07-15T12:00:00-05:00", "2021-07-15T17:00:00Z"),
        ({"format": "%d.%m.%Y %z", "zone": "Europe/Rome"}, "15.07.2021 +0000", "2021-07-15T00:00:00Z"),
        # the hour that is there twice is the second; one that is not there begins when the clock has jumped
        ({"zone": "Europe/Rome"}, "2021-10-31 02:30:00", "2021-10-31T01:30:00Z"),
        ({"zone": "Europe/Rome"}, "2021-03-28 02:30:00", "2021-03-28T01:00:00Z"),
    ],
)
def test_times_have_a_format_and_a_zone(given: dict[str, Any], value: str, expected: str, ledger: Ledger) -> None:
    columns = {"text": column("text"), "at": column("time", **given)}
    out = run(columns, {"text": "a", "at": value}, {"text": "b", "at": None}, ledger=ledger)
    assert out["written_at"].tolist() == [pd.Timestamp(expected), pd.NaT]
    assert str(out["written_at"].dtype) == "datetime64[us, UTC]"
    assert run(columns, {"text": "a", "at": "soon"}, ledger=ledger).empty
    [((step, reason), number)] = reasons(ledger).items()
    assert (step, reason.split()[0], number) == ("extract", "at", 1)


@pytest.mark.parametrize(
    ("column_name", "value"),
    [
        ("date", "yesterday"), ("date", "2019-02-30"), ("date", 1.5), ("date", [2020]), ("date", {"a": 1}),
        ("date", True), ("text", {"en": "fine"}), ("text", True), ("text", b"fine"), ("text", ["fine", {}]),
        ("review_id", ["m"]), ("stars", {}), ("stars", False), ("user_id", ["u"]), ("business_id", {"id": 1}),
    ],
)  # fmt: skip
def test_what_cannot_be_read_goes_to_quarantine_with_column_and_value(
    extract: Extract, ledger: Ledger, raw_frame: MakeRaw, column_name: str, value: object, tmp_path: Path
) -> None:
    frame = raw_frame({}, {column_name: value}, *[{} for _ in range(60)])
    out = extract.transform(frame)
    assert out.index.tolist() == [0, *range(2, 62)]
    [((step, reason), number)] = reasons(ledger).items()
    assert (step, reason.split()[0], number) == ("extract", column_name, 1)
    ledger.write_quarantine(tmp_path / "q.parquet")
    row = pq.read_table(tmp_path / "q.parquet").to_pylist()[0]
    assert (row["column"], row["value"], row["source_line"]) == (column_name, str(value), 2)
    assert row["message_id"] == (None if column_name == "review_id" else "m1")


def test_a_row_with_two_unreadable_values_is_quarantined_once(
    extract: Extract, ledger: Ledger, raw_frame: MakeRaw
) -> None:
    assert extract.transform(raw_frame({"text": {}, "date": "x", "stars": {}})).empty
    assert ledger.quarantined == 1


def test_missing_values_go_on_for_validate_to_judge(extract: Extract, ledger: Ledger, raw_frame: MakeRaw) -> None:
    nothing = {"review_id": None, "text": None, "date": None, "stars": None, "user_id": None, "business_id": None}
    out = extract.transform(raw_frame(nothing, {**nothing, "date": ""}))
    assert out.drop(columns=["source_file", "source_line"]).isna().all(axis=None)
    assert ledger.quarantined == 0


def test_numbers_that_stand_for_text_become_text(extract: Extract, raw_frame: MakeRaw) -> None:
    out = extract.transform(raw_frame({"review_id": 17, "text": 42, "user_id": 3}))
    assert out[["message_id", "text", "key:user_id"]].iloc[0].tolist() == ["17", "42", "3"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (123, "123"), (123.0, "123"), ("123.0", "123"), ("123", "123"), (Decimal(123), "123"), ("007", "007"),
        ("007.0", "007.0"), ("1.50", "1.50"), (1.5, "1.5"), (" a ", " a "), ("1e5", "1e5"), (None, None),
    ],
)  # fmt: skip
def test_an_id_is_the_same_whatever_pandas_made_of_it(value: object, expected: str | None) -> None:
    columns = {"id": column("id"), "text": column("text"), "shop": column("key")}
    out = run(columns, {"id": value, "text": "a", "shop": value})
    assert out[["message_id", "key:shop"]].iloc[0].tolist() == [expected, expected]


def test_several_texts_are_joined_in_the_order_of_the_file() -> None:
    columns = {"title": column("text"), "price": column("number"), "body": column("text")}
    out = run(
        columns,
        {"body": "second", "title": "First"},
        {"body": "alone", "title": None},
        {"title": "alone", "body": ""},
        {"title": ["two", None, "parts"], "body": ["of", 3, "words"]},
        {"title": None, "body": None},
        {"title": "", "body": ""},
    )
    assert out["text"].tolist() == ["First\nsecond", "alone", "alone", "two parts\nof 3 words", None, ""]


def test_a_single_list_is_joined_too() -> None:
    out = run({"body": column("text")}, {"body": ["a", "b"]}, {"body": []}, {"body": "c"})
    assert out["text"].tolist() == ["a b", None, "c"]


def test_of_several_ids_times_and_labels_the_first_that_is_there_counts() -> None:
    columns = {
        "id": column("id"),
        "ID": column("id"),
        "text": column("text"),
        "sent": column("time", format="%d.%m.%Y"),
        "date": column("time"),
    }
    labels = Labels(default(LabelConfig, column=[["label", "Label"]]))
    out = run(
        columns,
        {"id": "1", "ID": "2", "text": "a", "sent": "03.02.2021", "date": "2020-01-01", "label": "x", "Label": "y"},
        {"id": None, "ID": 3.0, "text": "b", "sent": "", "date": "2020-01-01", "label": None, "Label": "y"},
        {"id": None, "ID": None, "text": "c", "sent": None, "date": None, "label": "", "Label": None},
        labels=labels,
    )
    assert out["message_id"].tolist() == ["1", "3", None]
    assert out["written_at"].dt.strftime("%Y-%m-%d").tolist()[:2] == ["2021-02-03", "2020-01-01"]
    assert out["written_at"].isna().tolist() == [False, False, True]
    assert out["target"].tolist() == ["x", "y", None]


def test_files_of_two_layouts_are_one_source() -> None:
    columns = {"id": column("id"), "ID": column("id"), "text": column("text"), "body": column("text")}
    first = run(columns, {"id": 1, "text": "same"})
    second = run(columns, {"ID": 1.0, "body": "same"})
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("$1,299.50", 1299.5), ("€ 3", 3.0), (7, 7.0), ("-2.5e3", -2500.0), (True, 1.0), (Decimal("0.1"), 0.1),
        ("a few", math.nan), ("", math.nan), (None, math.nan), ("inf", math.nan), ([1], math.nan), ("1.5.2", math.nan),
    ],
)  # fmt: skip
def test_a_number_is_read_without_its_currency_and_unknown_where_it_cannot_be(value: object, expected: float) -> None:
    out = run({"text": column("text"), "price": column("number", name="cost")}, {"text": "a", "price": value})
    np.testing.assert_equal(out["cost"].tolist(), [expected])
    assert out["cost"].dtype == float


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Delta", "Delta"), (" Delta ", "Delta"), (3.0, "3"), (True, "true"), (["a", "b"], "a|b"), ("", None),
        (None, None), ({"a": 1}, None), ("x<[y]", "x((y)"),
    ],
)  # fmt: skip
def test_a_category_is_a_short_text_and_unknown_where_it_is_none(value: object, expected: str | None) -> None:
    out = run({"text": column("text"), "airline": column("category")}, {"text": "a", "airline": value})
    assert out["airline"].tolist() == [expected]


def test_a_column_that_a_file_lacks_is_empty() -> None:
    columns = {"text": column("text"), "n": column("number"), "c": column("category"), "r": column("raw")}
    out = run(columns, {"text": "a"}, group="shop")
    assert np.isnan(out["n"].iloc[0])
    assert out[["c", "r", "group"]].iloc[0].tolist() == [None, None, None]


def test_the_fields_are_those_of_the_messages_and_of_what_they_join() -> None:
    columns = {
        "id": column("id"),
        "text": column("text"),
        "price": column("number", name="cost"),
        "shop": column("key", of="shops"),
        "seller": column("key", of="shops", name="by"),
        "extra": column("raw"),
        "brand": column("category"),
    }
    shops = SideTableConfig("shops", "*", "id", {"size": column("number"), "kind": column("category")})
    number, category = FieldRole.NUMBER, FieldRole.CATEGORY
    assert Extract(columns, joins(columns, [shops])).fields() == (
        Field("text", FieldRole.TEXT),
        Field("cost", number),
        Field("brand", category),
        Field("shops_size", number),
        Field("shops_kind", category),
        Field("by_size", number),
        Field("by_kind", category),
    )


@pytest.fixture
def tables(
    tmp_path: Path,
    make_config: Callable[..., Config],
    connection: duckdb.DuckDBPyConnection,
    write_lines: Callable[[Path, Rows], Path],
) -> Callable[..., SideTables]:
    """Return a maker of one side table from rows, by way of a real file."""

    def make(columns: dict[str, ColumnConfig], table: SideTableConfig, rows: Sequence[dict[str, Any]]) -> SideTables:
        config = make_config(tmp_path)
        folder = Path(config.dataset.raw_dir)
        write_lines(folder / f"{table.name}.json", list(rows))
        layers = Layers(Path(config.paths.data), "sample")
        file = prepare_side_table(config.dataset, table, tmp_path / "inbox", layers, config.engine)
        return SideTables(connection, joins(columns, [table]), {table.name: file})

    return make


def test_a_side_table_with_a_time_is_joined_as_of_the_message(tables: Callable[..., SideTables]) -> None:
    columns = {"id": column("id"), "text": column("text"), "at": column("time"), "shop": column("key", of="shops")}
    table = SideTableConfig(
        "shops", "shops*", "id", {"since": column("time"), "stock": column("number"), "kind": column("category")}
    )
    rows = [
        {"id": "s", "since": "2020-03-01", "stock": 30, "kind": "late"},
        {"id": "s", "since": "2020-01-01", "stock": 10, "kind": "early"},
        {"id": "s", "since": "2020-02-01", "stock": "20", "kind": "first"},
        # of two rows of one time the first counts
        {"id": "s", "since": "2020-02-01", "stock": "21", "kind": "second"},
        {"id": "t", "since": "2020-02-01", "stock": 5, "kind": "other"},
        {"id": "s", "since": None, "stock": 99, "kind": "never"},
    ]
    step = Extract(columns, joins(columns, [table]), None, tables(columns, table, rows))
    cases = [
        ("s", "2019-12-31T23:59:59", None),  # before all rows
        ("s", "2020-01-01", 10),  # a row of the very moment is known
        ("s", "2020-01-31T23:59:59", 10),
        ("s", "2020-02-01", 20),
        ("s", "2020-02-29", 20),
        ("s", "2030-01-01", 30),
        ("s", None, 30),  # without a time, the latest of all
        ("t", "2020-02-15", 5),
        ("nobody", "2020-02-15", None),
        (None, "2020-02-15", None),
    ]
    out = step.transform(raw(*({"id": n, "text": "a", "at": at, "shop": s} for n, (s, at, _) in enumerate(cases))))
    assert out["shops_stock"].fillna(-1).tolist() == [-1 if stock is None else stock for *_, stock in cases]
    assert out["shops_kind"].tolist()[:4] == [None, "early", "early", "first"]


def test_two_keys_join_one_table_under_two_names(tables: Callable[..., SideTables]) -> None:
    columns = {
        "text": column("text"),
        "from": column("key", of="people", name="sender"),
        "to": column("key", of="people", name="receiver"),
    }
    table = SideTableConfig("people", "people*", "id", {"age": column("number")})
    people = [{"id": 1, "age": 30}, {"id": 2, "age": "40"}]
    step = Extract(columns, joins(columns, [table]), None, tables(columns, table, people))
    out = step.transform(raw({"text": "a", "from": "1.0", "to": 2}, {"text": "b", "from": 2.0, "to": None}))
    assert out["sender_age"].tolist() == [30, 40]
    assert out["receiver_age"].fillna(-1).tolist() == [40, -1]
    assert out["message_id"].notna().all()


CONTENT = {
    "text": column("text"),
    "at": column("time"),
    "price": column("number"),
    "brand": column("category"),
    "shop": column("key"),
    "more": column("raw"),
}
LABEL = Labels(default(LabelConfig, column="label"))


def content_id(**row: Any) -> str:
    sound = {"text": "a", "at": "2020-01-01", "price": 1, "brand": "b", "shop": "s", "more": "m", "label": "x"}
    found: str = run(CONTENT, {**sound, **row}, labels=LABEL)["message_id"].iloc[0]
    return found


@pytest.mark.parametrize(
    "row",
    [
        {"label": "y"}, {"label": None}, {"price": "$1.00"}, {"price": 1.0}, {"brand": " b "}, {"text": "a \r\n"},
        {"at": "2020-01-01T01:00:00+01:00"}, {"not_declared": 7},
        # what are features is no part of it either: another definition of them makes no other messages
        {"price": 2}, {"price": None}, {"brand": "c"}, {"brand": None}, {"more": "n"},
    ],
)  # fmt: skip
def test_without_an_id_a_message_is_its_content_and_the_label_is_no_part_of_it(row: dict[str, Any]) -> None:
    assert content_id(**row) == content_id()


@pytest.mark.parametrize(
    "row",
    [
        {"text": "b"}, {"text": "A"}, {"at": "2020-01-02"}, {"at": None}, {"shop": "t"},
    ],
)  # fmt: skip
def test_another_value_makes_another_message_of_an_equal_text(row: dict[str, Any]) -> None:
    assert content_id(**row) != content_id()


def test_a_message_without_an_id_and_a_text_is_left_for_validate_to_refuse_for_its_text() -> None:
    out = run(CONTENT, {"text": None, "price": 1})
    assert out["text"].tolist() == out["text_hash"].tolist() == [None]
    assert isinstance(out["message_id"].iloc[0], str)


def test_texts_alone_have_an_id_in_any_batch() -> None:
    columns = {"text": column("text")}
    together = run(columns, {"text": "a"}, {"text": "b"}, {"text": "a"})["message_id"].tolist()
    assert together[0] == together[2] != together[1]
    assert [run(columns, {"text": text})["message_id"].iloc[0] for text in "aba"] == together


@pytest.mark.parametrize(
    "text",
    [
        "cr\u00eape\nsecond line", "cre\u0302pe\nsecond line", "cr\u00eape\r\nsecond line", "cr\u00eape\rsecond line",
        "cr\u00eape\nsecond line\n\n", "cr\u00eape  \t\nsecond line ", "cr\u00eape\u00a0\nsecond line",
    ],
)  # fmt: skip
def test_texts_that_differ_in_line_ends_unicode_form_or_trailing_space_are_equal(text: str) -> None:
    out = run({"id": column("id"), "text": column("text")}, {"id": 1, "text": text})
    same = run({"id": column("id"), "text": column("text")}, {"id": 1, "text": "cr\u00eape\nsecond line"})
    assert out["text_hash"].tolist() == same["text_hash"].tolist()
    # the text itself stays
    assert out["text"].tolist() == [text]


@pytest.mark.parametrize("text", [" same", "Same", "same\n\nline", "sa me", "same\nline"])
def test_texts_that_differ_in_more_are_not(text: str) -> None:
    columns = {"text": column("text")}
    hashes = run(columns, {"text": "same"}, {"text": "same\n line"}, {"text": text})["text_hash"]
    assert hashes.nunique() == 3


def test_the_group_is_kept_as_text_however_it_is_written() -> None:
    values = [7, 7.0, "7.0", "7", "", None, math.nan, ["x", "y"], True]
    out = run({"text": column("text")}, *({"text": "a", "shop": value} for value in values), group="shop")
    assert out["group"].tolist() == ["7", "7", "7", "7", None, None, None, "x,y", "True"]


def test_of_several_ids_the_first_that_is_there_counts() -> None:
    columns = {"id": column("id"), "old": column("id"), "text": column("text")}
    rows = [(1, "x"), ("", "x"), (None, "x"), (None, ""), ("", None)]
    out = run(columns, *({"id": new, "old": old, "text": "a"} for new, old in rows))
    assert out["message_id"].tolist() == ["1", "x", "x", None, None]


def test_the_index_of_the_rows_and_the_input_stay(extract: Extract, raw_frame: MakeRaw) -> None:
    frame = raw_frame({}, {"date": "x"}, {}).set_index(pd.Index([30, 10, 20]))
    before = frame.copy(deep=True)
    assert extract.transform(frame).index.tolist() == [30, 20]
    pd.testing.assert_frame_equal(frame, before)


def test_a_batch_without_rows_has_the_same_columns(extract: Extract, raw_frame: MakeRaw) -> None:
    full, empty = extract.transform(raw_frame({})), extract.transform(raw_frame({}).iloc[:0])
    assert empty.columns.tolist() == full.columns.tolist()
    assert empty["written_at"].dtype == full["written_at"].dtype


@pytest.mark.parametrize("names", [list(CONTENT), ["text"], ["text", "at"], ["text", "price"]])
def test_a_batch_without_rows_and_ids_has_the_same_columns(names: list[str]) -> None:
    columns = {name: CONTENT[name] for name in names}
    frame = raw({"text": "a"})
    full, empty = (Extract(columns, []).transform(part) for part in (frame, frame.iloc[:0]))
    assert empty.columns.tolist() == full.columns.tolist()
    # and one in which no row can be read
    assert run({**columns, "at": column("time")}, {"text": "a", "at": "soon"}).empty
