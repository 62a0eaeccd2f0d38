"""Guarantee 17: a changed schema is refused whole, all failures in one message; an extra column is a warning."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.naming import assert_names, columns_in, refusal

from batch_nlp.config import ColumnConfig, Config, Role, parse
from batch_nlp.dataset.schema_check import check_schema, holds_labels_alone, remember_columns
from batch_nlp.errors import DataError, ExitCode
from batch_nlp.storage.layers import Layers

Rows = list[dict[str, Any]]
TABLES = {
    "review": ["review_id", "text", "date", "user_id", "business_id", "stars"],
    "user": ["user_id", "yelping_since", "elite"],
    "business": ["business_id", "categories"],
}
COLUMNS = [(table, column) for table, columns in TABLES.items() for column in columns]
# columns that a step of the source makes something of: any value can be written as text
RAW = {"yelping_since", "elite", "categories"}


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
    check_schema(config.dataset, messages, inbox, layers, labels)
    if remember:
        remember_columns(config.dataset, messages, inbox, layers)


def without(rows: Rows, column: str) -> Rows:
    return [{name: value for name, value in row.items() if name != column} for row in rows]


def retyped(rows: Rows, column: str) -> Rows:
    return [{**row, column: {"value": row.get(column)}} for row in rows]


@pytest.mark.parametrize(
    ("table", "column", "change"),
    [
        (*found, change)
        for found in COLUMNS
        for change in (without, retyped)
        # messages without labels are told of, and labels may come later
        if not (change is retyped and found[1] in RAW) and not (change is without and found[1] == "stars")
    ],
)
def test_each_column_of_each_table(
    config: Config, tables: dict[str, Rows], table: str, column: str, change: Callable[[Rows, str], Rows]
) -> None:
    """Guarantee 17."""
    check(config, tables, remember=True)
    with refusal(DataError, f"{table}.json", column) as refused:
        check(config, {**tables, table: change(tables[table], column)})
    assert refused.value.exit_code is ExitCode.DATA


def test_all_failures_are_in_one_message(config: Config, tables: dict[str, Rows]) -> None:
    """Guarantee 17."""
    check(config, tables, remember=True)
    changed = {table: without(rows, TABLES[table][0]) for table, rows in tables.items()}
    changed["review"] = retyped(changed["review"], "text")
    with refusal(DataError, 4, "text") as refused:
        check(config, changed)
    for table, (first, *_) in TABLES.items():
        assert_names(refused.value, f"{table}.json", first)


@pytest.mark.parametrize(
    ("column", "value"),
    [("date", 1_577_934_245), ("date", "02.01.2020"), ("text", 7), ("review_id", True), ("stars", [4])],
)
def test_values_of_another_kind_are_another_type(
    config: Config, tables: dict[str, Rows], column: str, value: object
) -> None:
    """Guarantee 17."""
    rows = [{**row, column: value} for row in tables["review"]]
    with refusal(DataError, column):
        check(config, {"review": rows})
    # a few such rows are broken rows, not another schema
    check(config, {"review": [*rows[:30], *tables["review"][30:]]})
    check(config, {"review": rows[:1]})
    check(config, {"review": [*rows[:9], tables["review"][9]]})


def test_a_few_texts_may_all_be_numbers(config: Config, tables: dict[str, Rows]) -> None:
    check(config, {"review": [{**row, "text": 7} for row in tables["review"][:10]]})


def test_labels_and_columns_that_a_source_never_had_are_not_missed(config: Config, tables: dict[str, Rows]) -> None:
    plain = without(without(tables["review"], "user_id"), "stars")
    check(config, {"review": plain}, remember=True)
    check(config, {"review": plain})
    check(config, tables, remember=True)
    check(config, {"review": without(tables["review"], "stars")}, labels=False)
    # few rows may happen to lack what is optional
    check(config, {"review": plain[:10]})


def test_of_several_columns_with_a_role_a_file_needs_one(tmp_path: Path, make_config: Callable[..., Config]) -> None:
    config = make_config(
        tmp_path,
        "+dataset.messages.columns.id={role: id}",
        "+dataset.messages.columns.body={role: text}",
        '+dataset.messages.columns.sent={role: time, format: "%d.%m.%Y"}',
    )
    sound = {"id": 1, "body": "fine", "sent": "13.01.2020"}
    for rows in ([sound] * 30, [{"review_id": "a", "text": "fine", "date": "2020-01-13"}] * 30):
        check(config, {"review": rows})
    with refusal(DataError, "text or body", "review_id or id"):
        check(config, {"review": [{"sent": "13.01.2020"}] * 30})
    # each of them in its own format
    with refusal(DataError, "sent"):
        check(config, {"review": [{**sound, "sent": "2020-01-13"}] * 30})


@pytest.mark.parametrize("value", ["$1,299.50", 3, "4", "-1e3", True])
def test_a_number_may_have_a_currency(tmp_path: Path, make_config: Callable[..., Config], value: object) -> None:
    config = make_config(tmp_path, "+dataset.messages.columns.price={role: number}")
    sound = {"review_id": "a", "text": "fine", "date": "2020-01-13"}
    check(config, {"review": [{**sound, "price": value}] * 30})
    # what the step extract can make no number of is none
    for other in ("cheap", "1,5", 10**400):
        with refusal(DataError, "price"):
            check(config, {"review": [{**sound, "price": other}] * 30})


SOUND = {"review_id": "a", "text": "fine", "date": "2020-01-13"}


def test_files_that_bring_no_label_are_told_of_and_taken(config: Config, warnings: list[str]) -> None:
    check(config, {"review": [{**SOUND, "stars": 3}] * 30}, remember=True)
    assert not warnings
    check(config, {"review": [SOUND] * 30}, labels=False)
    assert not warnings
    check(config, {"review": [SOUND] * 30}, remember=True)
    assert len(warnings) == 1
    assert_names(warnings[0], "stars", "review.json")


@pytest.mark.parametrize(("value", "readable"), [(True, True), ("x", True), (7, True), ({}, False), ([1], False)])
def test_what_can_be_a_label_is_what_the_labels_are_read_by(config: Config, value: object, readable: bool) -> None:
    rows = {"review": [{**SOUND, "stars": value}] * 30}
    if readable:
        check(config, rows)
    else:
        with refusal(DataError, "stars"):
            check(config, rows)


def test_of_two_columns_of_a_label_a_file_needs_one_and_of_two_levels_both(
    tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    config = make_config(tmp_path, "dataset.label.column=[[product,Product],issue]", "dataset.label.classes=auto")
    for name in ("product", "Product", "product", "Product"):
        check(config, {"review": [{**SOUND, name: "loan", "issue": "late"}] * 30}, remember=True)
    # and one without labels before
    check(config, {"review": [SOUND] * 30}, remember=True)
    for lacking in ({"product": "loan"}, {"issue": "late"}):
        with refusal(DataError, "product or Product" if "issue" in lacking else "issue"):
            check(config, {"review": [{**SOUND, **lacking}] * 30})


def two_layouts(tmp_path: Path, make_config: Callable[..., Config]) -> tuple[Config, dict[str, Any], dict[str, Any]]:
    """Return a source whose files are of two layouts that have their id and date alone in common, and a row of each."""
    config = make_config(
        tmp_path,
        "dataset.label.column=null",
        "dataset.label.classes=auto",
        "+dataset.messages.columns.body={role: text}",
        "+dataset.messages.columns.price={role: number}",
        "+dataset.messages.columns.brand={role: category}",
        "+dataset.messages.columns.shop={role: category}",
    )
    second = {"review_id": "b", "body": "fine", "date": "2020-01-13", "shop": "north"}
    return config, {**SOUND, "price": 3, "brand": "x"}, second


def test_a_file_may_lack_what_other_layouts_have(tmp_path: Path, make_config: Callable[..., Config]) -> None:
    config, first, second = two_layouts(tmp_path, make_config)
    check(config, {"review": [first] * 30}, remember=True)
    seen = Layers(Path(config.paths.data), config.dataset.name).seen_columns
    # the advice to remove it works, whichever layout comes next
    with refusal(DataError, "price", "brand", seen):
        check(config, {"review": [second] * 30})
    seen.unlink()
    check(config, {"old_review": [first] * 30, "review": [second] * 30}, remember=True)
    for row in (first, second, first, second):
        check(config, {"review": [row] * 30}, remember=True)
    seen = Layers(Path(config.paths.data), config.dataset.name).seen_columns
    assert json.loads(seen.read_bytes())["message"] == [
        ["brand", "date", "price", "review_id", "text"],
        ["body", "date", "review_id", "shop"],
    ]
    # but not what its own has, whatever else it brings
    for row, column in ((first, "price"), (first, "brand"), (second, "shop")):
        for more in ({}, {"business_id": "c"}):
            with refusal(DataError, column):
                check(config, {"review": without([{**row, **more}] * 30, column)})
    # few rows may happen to, and are no layout
    check(config, {"review": without([first] * 10, "price")}, remember=True)
    with refusal(DataError, "price"):
        check(config, {"review": without([first] * 30, "price")})


def test_a_column_that_is_gone_for_good_is_forgotten_as_the_error_says(
    tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    config, first, _ = two_layouts(tmp_path, make_config)
    seen = Layers(Path(config.paths.data), config.dataset.name).seen_columns
    check(config, {"review": [first] * 30}, remember=True)
    fewer = {"review": without([first] * 30, "price")}
    with refusal(DataError, "price", seen):
        check(config, fewer)
    seen.unlink()
    check(config, fewer, remember=True)
    check(config, fewer)


def test_columns_that_were_remembered_as_one_list_are_one_layout(
    tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    config, first, _ = two_layouts(tmp_path, make_config)
    seen = Layers(Path(config.paths.data), config.dataset.name).seen_columns
    seen.parent.mkdir(parents=True)
    seen.write_text('{"message": ["brand", "date", "price", "review_id", "text"]}')
    check(config, {"review": [first] * 30}, remember=True)
    with refusal(DataError, "price"):
        check(config, {"review": without([first] * 30, "price")})


def test_a_category_that_none_can_be_made_of_is_another_type(
    tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    config, first, _ = two_layouts(tmp_path, make_config)
    for brand in (["a", "b"], True, 3.0):
        check(config, {"review": [{**first, "brand": brand}] * 30})
    with refusal(DataError, "brand"):
        check(config, {"review": [{**first, "brand": {"name": "x"}}] * 30})


def test_nested_columns_are_looked_for_where_they_lie(tmp_path: Path, make_config: Callable[..., Config]) -> None:
    config = make_config(tmp_path, "dataset.messages.rows=_source")
    sound = {"review_id": "a", "text": "fine", "date": "2020-01-13"}
    check(config, {"review": [{"_source": sound}, sound] * 20})
    with refusal(DataError, "text"):
        check(config, {"review": [{"_source": {"review_id": "a", "date": "2020-01-13"}, "text": "not here"}] * 30})


def test_texts_beside_labels_under_a_new_name_are_told_and_the_advice_works(
    tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    row = {"review_id": "a", "stars": 3, "date": "2020-01-01", "comment": "seen by two people"}
    with refusal(DataError, "text", "comment: {role: ignore}"):
        check(make_config(tmp_path), {"review": [row] * 30})
    (tmp_path / "review.json").write_text(json.dumps({name: row[name] for name in ("review_id", "stars", "comment")}))
    advised = make_config(tmp_path, "+dataset.messages.columns.comment={role: ignore}")
    assert holds_labels_alone(advised.dataset, tmp_path / "review.json")


@pytest.mark.parametrize(
    ("row", "alone"),
    [
        ({"review_id": "a", "stars": 3}, True),
        ({"review_id": "a", "stars": 3, "who": "anna"}, True),
        ({"review_id": "a", "stars": 3, "text": "fine"}, False),
        ({"review_id": "a", "text": "fine"}, False),
        # its texts have another name now
        ({"review_id": "a", "stars": 3, "body": "fine", "date": "2020-01-01"}, False),
        ({"review_id": "a", "stars": 3, "body": "not bad at all"}, False),
        ({"stars": 3}, False),
        ({"review_id": "a"}, False),
    ],
)
def test_a_file_of_ids_and_labels_is_told_from_one_of_messages(
    config: Config, tmp_path: Path, row: dict[str, Any], alone: bool
) -> None:
    (tmp_path / "review.json").write_text(json.dumps(row) + "\n")
    assert holds_labels_alone(config.dataset, tmp_path / "review.json") is alone


def test_a_file_without_a_column_of_the_condition_is_refused(
    tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    """Without it, the condition would leave out every row."""
    overrides = ["dataset=support_tweets", "dataset.messages.where=\"Inbound = 'True'\""]
    config = make_config(tmp_path, *overrides)
    file = tmp_path / "twcs.csv"
    file.write_text("tweet_id,text,created_at,inbound\n1,hello,Tue Oct 31 22:11:45 +0000 2017,True\n")
    layers = Layers(tmp_path / "data", "support_tweets")
    with pytest.raises(DataError, match="Inbound"):
        check_schema(config.dataset, [file], tmp_path / "inbox", layers, labels=False)


def dates_of(config: Config, folder: Path, name: str, values: list[str]) -> str:
    """Return what is said of a file of messages with these values of a column."""
    file = folder / "review.json"
    rows = [{"review_id": f"r{n}", "text": "fine", "date": "2022-01-01", name: value} for n, value in enumerate(values)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    try:
        check_schema(config.dataset, [file], folder / "inbox", Layers(folder / "data", "sample"), True)
    except DataError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", ["date", "Created at", "created.at", "When [utc]"])
def test_the_format_of_times_is_advised_as_their_name_can_be_set(
    tmp_path: Path, make_config: Callable[..., Config], name: str
) -> None:
    config, values = make_config(tmp_path), [f"{1 + n % 28:02}.01.2022" for n in range(30)]
    columns = {**config.dataset.messages.columns, name: ColumnConfig(Role.time, zone="Europe/Rome")}
    messages = replace(config.dataset.messages, columns=columns)
    config = replace(config, dataset=replace(config.dataset, messages=messages))
    told = dates_of(config, tmp_path, name, values)
    [line] = columns_in(told)
    assert ("++dataset" in told) == (name == "date")
    columns |= {key: parse(ColumnConfig, value) for key, value in yaml.safe_load(line).items()}
    assert columns[name].zone == "Europe/Rome"
    config = replace(config, dataset=replace(config.dataset, messages=replace(messages, columns=columns)))
    assert dates_of(config, tmp_path, name, values) == ""


def test_times_that_no_format_reads_are_to_be_written_as_they_are_in_the_advice(
    tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    config, dates = make_config(tmp_path), [f"2022-01-{1 + n % 28:02} 10:15 IST" for n in range(30)]
    told = dates_of(config, tmp_path, "date", dates)
    date = re.findall(r"\d{4}-\d\d-\d\dT[^\s,]+", told)[-1]
    assert dates_of(config, tmp_path, "date", [date] * 30) == ""


def test_a_second_form_of_times_and_decimal_commas_are_told_with_a_setting_that_reads_all(
    tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    """What the advice for a file says is set, until nothing more is said of it."""
    dates = [("2022-01-02", "31.01.2022")[n % 2] for n in range(40)]
    prices = [("1,750", "0,5", "3", "2,25")[n % 4] for n in range(40)]
    for name, values, form in (("date", dates, "iso|%d.%m.%Y"), ("price", prices, ",")):
        config, said = make_config(tmp_path), "+dataset.messages.columns.price.role=number"
        told = dates_of(make_config(tmp_path, said), tmp_path, name, values)
        [setting] = re.findall(r"'(\+\+dataset[^']+)'", told)
        config = make_config(tmp_path, said, setting)
        assert config.dataset.messages.columns[name].format == form
        assert dates_of(config, tmp_path, name, values) == ""
    assert_names(told, 20, 40, '"0,5"', "1,750", "1750")
    assert_names(dates_of(make_config(tmp_path), tmp_path, "date", dates), 20, 40)
    # strays, and commas that are between thousands
    assert dates_of(make_config(tmp_path), tmp_path, "date", [*dates[::2], "31.01.2022"]) == ""
    assert dates_of(make_config(tmp_path, said), tmp_path, "price", ["1,750", "2,250.5", "0,5"] * 10) == ""
    assert '"0,5"' in dates_of(make_config(tmp_path, said), tmp_path, "price", ["0,5"] * 30)
    assert (
        dates_of(make_config(tmp_path, said, "+dataset.messages.columns.price.format='.'"), tmp_path, "price", prices)
        == ""
    )


def test_a_file_of_another_separator_has_no_renamed_column(config: Config, tmp_path: Path) -> None:
    file = tmp_path / "review.csv"
    file.write_text("review_id^text^date\n" + "r^fine^2022-01-01\n" * 30)
    with refusal(DataError, "'^'", "dataset.messages.separator"):
        check_schema(config.dataset, [file], tmp_path / "inbox", Layers(tmp_path / "data", "sample"), True)


def test_files_of_one_message_each_are_judged_together(tmp_path: Path, make_config: Callable[..., Config]) -> None:
    config = make_config(tmp_path, "+dataset.messages.columns.price={role: number}")
    files = [tmp_path / f"review_{number}.json" for number in range(20)]
    for number, file in enumerate(files):
        file.write_text(json.dumps({**SOUND, "review_id": f"r{number}", "price": "1,5"}))
    layers = Layers(tmp_path / "data", "sample")
    check_schema(config.dataset, files[:19], tmp_path / "inbox", layers, True)
    with refusal(DataError, "review_0.json", 19, "price: {", 'format: ","}'):
        check_schema(config.dataset, files, tmp_path / "inbox", layers, True)


def test_times_of_a_side_table_are_set_in_the_file_alone(config: Config, tables: dict[str, Rows]) -> None:
    since = {"yelping_since": ColumnConfig(Role.time)}
    user = [replace(table, columns=since) if table.name == "user" else table for table in config.dataset.side_tables]
    config = replace(config, dataset=replace(config.dataset, side_tables=user))
    rows = [{**row, "yelping_since": "31.01.2022"} for row in tables["user"]]
    with refusal(DataError, 'yelping_since: {role: time, format: "%d.%m.%Y"}') as told:
        check(config, {**tables, "user": rows})
    assert "++" not in str(told.value)
    with refusal(DataError, "user.json", "yelping_since"):
        check(config, {**tables, "user": rows[:1]})
