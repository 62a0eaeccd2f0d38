from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from tests.naming import assert_names
from tests.naming import names as names_it
from tests.settings import bare_dataset, default
from tests.tickets import tickets

from batch_nlp.config import ColumnConfig, Config, DatasetConfig, Role, parse
from batch_nlp.dataset.classes import find_classes
from batch_nlp.dataset.conversion import as_number
from batch_nlp.dataset.labels import LEVEL, check_label
from batch_nlp.dataset.message_columns import check_columns
from batch_nlp.dataset.where import Where
from batch_nlp.errors import DataError
from batch_nlp.onboarding.column_profiles import profiles
from batch_nlp.onboarding.data_warnings import data_warnings, shown
from batch_nlp.onboarding.dataset_yaml import render_dataset, scalar
from batch_nlp.onboarding.guess_roles import unfit_reason
from batch_nlp.onboarding.guess_tables import SideTable
from batch_nlp.onboarding.proposal import GivenColumns, propose
from batch_nlp.onboarding.source_files import Source

ROOT = Path(__file__).resolve().parents[3]
NAMES = ["", ":", "#", "a: b", "- x", "null", "true", "12", "1e5", "a.b", "'\"", "é", "{a}", "\n", "~", "😀"]
NAMES += ["${x}", "\\${x}", "${", "???", "_target_", "source_file", "x" * 300, "12:30:45", "@package", "\u2028"]
TEXTS = ["a fine place to be", "very bad indeed", "", "2022-01-31", "31.01.2022", "${x}", "1", "\x00\x1b[31m", "ja"]
SOURCE = Source(Path("in"), "*", [])
names = st.sampled_from(NAMES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
cells = st.none() | st.sampled_from(TEXTS) | st.integers(-3, 3) | st.floats() | st.lists(st.sampled_from(TEXTS))
cells |= st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(TEXTS)) | st.integers(2**31, 2**70)


def dataset(text: str) -> DatasetConfig:
    """Return a dataset's file as the settings read it."""
    own: Any = OmegaConf.create(text)
    own.pop("defaults", None)
    # what is escaped is resolved once, by `parse`
    found: DatasetConfig = parse(DatasetConfig, OmegaConf.merge(bare_dataset(), own, {"raw_dir": "data"}))
    check_columns(found)
    check_label(found.label)
    return found


def written(rows: list[dict[str, Any]], **asked: list[str]) -> str:
    return render_dataset(
        "mine", SOURCE, propose(profiles(rows), GivenColumns(**asked), "mine.csv", default(Config)), "mine.csv"
    )


def suggested(text: str) -> dict[str, ColumnConfig]:
    """Return the columns that a dataset's file suggests as features, with the # taken away."""
    columns = dataset(re.sub(r"^    # (?=.*: \{role: )", "    ", text, flags=re.MULTILINE)).messages.columns
    return {name: column for name, column in columns.items() if column.role in (Role.number, Role.category)}


def test_a_column_that_no_field_can_be_called_like_has_another_name_and_one_that_numbers_rows_is_none() -> None:
    rows = tickets(
        **{"Unnamed: 0": lambda number, _: number * 2 + number % 2, "a:b": lambda number, _: number % 7},
        **{"a=b": lambda n, _: "xy"[n % 2], "Group": lambda n, _: n % 3, "column_a_b": lambda n, _: n % 4},
    )
    text = written(rows)
    assert {name: column.name for name, column in suggested(text).items()} == {
        "a:b": "column_a_b0", "a=b": "column_a_b1", "Group": "column_group", "column_a_b": None
    }  # fmt: skip
    assert '# "Unnamed: 0" ' in text


@pytest.mark.parametrize(
    ("write", "is_one"),
    [
        (lambda n, _: 701 * n % 1009, True),
        (lambda n, _: 701 * n % 1009 / 4, False),
        (lambda n, _: 7 * n % 100, False),
    ],
)
def test_whole_numbers_that_differ_from_row_to_row_are_told_as_a_likely_id(write: Any, is_one: bool) -> None:
    text = written(tickets(amount=write))
    assert ("# amount " in text) is is_one
    assert ("amount" in suggested(text)) is not is_one


def test_columns_that_make_no_feature_are_named_with_the_reason() -> None:
    rows = tickets(
        link=lambda n, _: f"https://example.org/{n}" if n % 3 else None,
        app=lambda *_: "acme",
        device=lambda n, _: f"model {n % 50}",
        rated=lambda n, _: "yes" if n % 2 else None,
    )
    text = written(rows)
    assert suggested(text).keys() == {"device", "rated"}
    assert re.search(r"# not read.*:\n    # link .*\n    # app .*\n", text)
    # several messages may name a row of a side table
    table = SideTable("apps", "apps*", "id", "w", profiles([{"maker": f"maker {n}"} for n in range(40)]))
    source = Source(Path("in"), "*", [], side_tables=[table])
    assert "      # maker: {role: category}" in render_dataset(
        "mine", source, propose(profiles(rows), GivenColumns(), "a", default(Config)), "a"
    )


@pytest.mark.parametrize(
    ("write", "form"),
    [
        (lambda n, _: f"{n % 9},5 €", ","),
        (lambda n, _: "1.250,00" if n % 9 == 0 else f"{n % 9}", ","),
        (lambda n, _: "1,250" if n % 9 == 0 else f"{n % 9}.5", None),
        (lambda n, _: f"1,{n % 9}50", None),
    ],
)
def test_numbers_with_decimal_commas_are_suggested_as_numbers(write: Any, form: str | None) -> None:
    rows = tickets(price=write)
    column = suggested(written(rows))["price"]
    assert (column.role, column.format) == (Role.number, form)
    assert not any(math.isnan(as_number(row["price"], column.format)) for row in rows)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.dictionaries(names, cells, max_size=5), max_size=25))
@example([{"0": ["a fine place to be"]}, {"true": "2022-01-31", "TRUE": 0}])
@example([{}, {"": "a fine place to be"}])
@example([{}, {"${x}": "a fine place to be"}])
@example([{"${x}": "a fine place to be", "null": "a"}, {"${x}": "very bad indeed", "null": "b"}] * 12)
def test_whatever_the_columns_are_called_and_hold_the_schema_takes_the_file(rows: list[dict[str, Any]]) -> None:
    try:
        proposal = propose(profiles(rows), GivenColumns(), "mine.csv", default(Config))
    except DataError:
        return
    found = dataset(render_dataset("mine", SOURCE, proposal, "mine.csv"))
    if found.messages.where is not None:
        assert Where(found.messages.where).keeps(rows).any()
    texts = {column.name for column in proposal.texts}
    assert {name for name, column in found.messages.columns.items() if column.role.value == "text"} == texts
    assert all(sentence.isprintable() for sentence in data_warnings(proposal))
    # and with what is suggested
    assert suggested(render_dataset("mine", SOURCE, proposal, "mine.csv")).keys() == {
        column.name for column in proposal.others if not unfit_reason(column)
    }


@given((st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(NAMES)).filter(lambda name: name != "???"))
def test_a_scalar_is_read_as_what_it_was(value: str) -> None:
    assert OmegaConf.create(f"key: {scalar(value)}").key == value


def test_what_is_printed_of_a_file_is_short_and_printable() -> None:
    assert shown("a\x1b[31m\nb") == "a\\x1b[31m\\nb"
    assert shown("x" * 100, 10) == "xxxxxxx..."


@pytest.mark.parametrize(
    ("columns", "split", "rule"),
    [({}, "random", None), ({"day": lambda n, _: f"2022-{n % 12 + 1:02}-{n % 28 + 1:02}"}, "time", None),
     ({"day": lambda n, _: "2022-01-01" if n < 60 else f"2022-02-{n % 28 + 1:02}"}, "random", None),
     ({"day": lambda n, bad: f"202{2 + bad}-{n % 12 + 1:02}-{n % 28 + 1:02}"}, "random", None),
     ({"rating": lambda n, _: "5" if n % 20 else "1"}, "random", "reference"),
     # of a share of 12.5 %, 18 % of batches of 100 have fewer than 10; of one of 16.7 %, 2 %
     ({"rating": lambda n, _: "5" if n % 8 else "1"}, "random", "interval"),
     ({"rating": lambda n, _: "5" if n % 6 else "1"}, "random", None)],
)  # fmt: skip
def test_split_and_rule_follow_from_times_and_shares(columns: dict[str, Any], split: str, rule: str | None) -> None:
    text = written(tickets(**columns))
    found = yaml.safe_load(text)
    assert found["split"] == {"by": split}
    assert found.get("defaults") == (None if rule is None else [{"override /drift@_global_.drift": rule}])
    assert dataset(text).label.column == ("rating" if "rating" in columns else "w")


def test_a_rule_has_its_reason() -> None:
    text = written(tickets(rating=lambda n, _: "5" if n % 8 else "1"))
    assert_names(text.splitlines()[3], "class 1", "12.5 %", "under 10 %", "18.4 %", "batches of 100")


@pytest.mark.parametrize(("empty", "condition"), [(1, None), (2, '"a ""review""" <> \'\'')])
def test_rows_without_a_text_are_left_out_where_they_are_many(empty: int, condition: str | None) -> None:
    name = 'a "review"'
    rows = [{name: None if n < empty else row["q"], "w": row["w"]} for n, row in enumerate(tickets(100))]
    assert dataset(written(rows)).messages.where == condition
    told = data_warnings(propose(profiles(rows), GivenColumns(), "mine.csv", default(Config)))
    assert len(told) == (condition is not None)
    if condition is not None:
        assert_names(told[0], "2 %")
        assert Where(condition).keeps(rows).tolist() == [False, False, *[True] * 98]


@pytest.mark.parametrize(
    ("levels", "small", "told"),
    [
        (["w"], {"odd": 7}, ["1 of 3 classes", "fewer than 20", "only 7 messages"]),
        (["w"], {"odd": 7, "dull": 13}, ["2 of 4 classes", "fewer than 20", "2 become other"]),
        (["v", "w"], {"odd": 7, "dull": 13, "sad": 5}, ["3 of 5 classes", "2 become other", "only 5 messages"]),
    ],
)  # fmt: skip
def test_small_classes_are_put_together_or_left_out_as_training_does(
    levels: list[str], small: dict[str, int], told: list[str]
) -> None:
    rows = [*tickets(), *({"q": f"what a {name} thing {n}", "w": name} for name in small for n in range(small[name]))]
    rows = [{**row, "v": {"odd": "x", "dull": "x", "sad": "y"}.get(row["w"], "z")} for row in rows]
    text = written(rows, label=levels)
    found = dataset(text).label
    assert found.rare == {"under": 20, "as": "other"}
    assert_names(text, *told)
    proposal = propose(profiles(rows), GivenColumns(label=levels), "mine.csv", default(Config))
    [warning] = [found for found in data_warnings(proposal) if names_it(found, told[0])]
    assert_names(warning, *told)
    targets = pd.Series([LEVEL.join(row[level] for level in levels) for row in rows])
    labels = find_classes(targets, found, 20).labels
    left_out = {*targets[labels < 0]}
    assert names_it(warning, f"{len(left_out)} excluded") if left_out else "excluded" not in warning


def test_side_tables_encoding_and_html_are_written() -> None:
    shops = profiles([{"name": f"shop {number}", "city": "Rome"} for number in range(3)])
    source = Source(
        Path("in"),
        "a*",
        [],
        "cp1252",
        "\x01",
        "_source",
        [SideTable("shops", "b*", "id", "shop", shops)],
        {"folder": "where it lies", "pattern": "as later ones"},
    )
    rows = tickets(shop=lambda number, _: f"s{number % 3}")
    proposal = propose(
        profiles([{**row, "q": f"<p>{row['q']}</p>"} for row in rows]), GivenColumns(), "mine.csv", default(Config)
    )
    found = dataset(render_dataset("mine", source, proposal, "mine.csv"))
    assert (found.messages.files, found.messages.encoding, found.messages.rows) == ("a*", "cp1252", "_source")
    assert found.messages.separator == "\x01"
    written = render_dataset("mine", source, proposal, "mine.csv")
    assert "# where it lies\nraw_dir: in\n" in written
    assert '  # as later ones\n  files: "a*"\n' in written
    assert found.messages.columns["shop"].of == "shops"
    assert [(table.name, table.files, table.key) for table in found.side_tables] == [("shops", "b*", "id")]
    assert found.steps == [{"_target_": "batch_nlp.steps.strip_html.StripHtml", "_after_": "clean_text"}]


def test_a_text_that_is_called_like_a_message_is_told() -> None:
    name = "The parcel never came at all"
    rows = [{name: row["q"], "b": row["w"]} for row in tickets()]
    [told] = data_warnings(propose(profiles(rows), GivenColumns(), "mine.csv", default(Config)))
    assert_names(told, name)


def test_what_is_wrong_with_the_data_is_told() -> None:
    rows = [*tickets(60), *tickets(60)]
    proposal = propose(profiles(rows), GivenColumns(label=[]), "mine.csv", default(Config))
    repeats, label = data_warnings(proposal)
    assert_names(repeats, "50 %")
    assert_names(label, "init.label=COLUMN")


def test_times_that_are_written_in_two_ways_are_read_and_told() -> None:
    rows = tickets(day=lambda n, _: f"2022-{n % 12 + 1:02}-28" if n % 2 else f"{n % 12 + 13}.01.2022")
    proposal = propose(profiles(rows), GivenColumns(), "mine.csv", default(Config))
    [told] = data_warnings(proposal)
    form = dataset(render_dataset("mine", SOURCE, proposal, "mine.csv")).messages.columns["day"].format
    assert form == "iso|%d.%m.%Y"
    assert_names(told, "day", form)


@pytest.mark.parametrize(
    ("date", "told"),
    [
        (
            lambda n, _: f"2022-01-{1 + n % 28:02} 10:15 IST",
            "2022-01-01 10:15 IST",
        ),
        (
            lambda n, _: {"$date": f"2022-01-{1 + n % 28:02}"},
            "2022-01-01",
        ),
        (lambda n, _: f"2022-01-{1 + n % 28:02}" if n % 2 else None, "50 %"),
    ],
)
def test_a_time_that_is_not_taken_is_told(date: Any, told: str) -> None:
    rows = tickets(created_at=date)
    found = data_warnings(propose(profiles(rows), GivenColumns(), "mine.csv", default(Config)))
    assert len(found) == 1
    assert_names(found[0], "created_at", told)
    assert data_warnings(propose(profiles(rows), GivenColumns(time=[]), "mine.csv", default(Config))) == []


def test_the_settings_decide_what_a_small_class_is_and_which_band_is_usual() -> None:
    rows = tickets(60)
    config = default(Config)
    config = replace(
        config, training=replace(config.training, min_class_messages=55), drift=replace(config.drift, low=0.8)
    )
    text = render_dataset("mine", SOURCE, propose(profiles(rows), GivenColumns(), "mine.csv", config), "mine.csv")
    assert dataset(text).label.rare == {"under": 55, "as": "other"}
    assert_names(text, "80 %")
