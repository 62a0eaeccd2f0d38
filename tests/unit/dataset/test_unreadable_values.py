"""Guarantee 24: a file of any size in which no row can be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.naming import assert_names, names, refusal, settings_in

from batch_nlp.config import Config, DatasetConfig
from batch_nlp.dataset.schema_check import check_schema
from batch_nlp.dataset.unreadable_values import unreadable, unreadable_files
from batch_nlp.errors import DataError
from batch_nlp.storage.layers import Layers

SOUND = {"review_id": "a", "text": "fine", "date": "2022-01-31", "user_id": "u", "business_id": "b"}
NO_DATE, NO_ID, NO_TEXT = {**SOUND, "date": "31.01.2022"}, {**SOUND, "review_id": [1]}, {**SOUND, "text": True}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def written(*rows: dict[str, Any] | str, name: str = "review.json") -> Path:
        file = tmp_path / name
        file.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
        return file

    return written


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([NO_DATE], [1, "date", "str"]),
        ([NO_ID] * 3, [3, "review_id", "list"]),
        ([NO_DATE, NO_TEXT, "{"], [3, "Line 3: broken JSON"]),
        ([{**SOUND, "user_id": {}}], [1, "user_id", "dict"]),
        ([{**SOUND, "stars": []}], [1, "stars", "list"]),
        ([NO_DATE] * 1500, [1500, "date", 1000]),
    ],
)
def test_a_file_none_of_whose_values_can_be_read(
    config: Config, write: Callable[..., Path], rows: list[Any], said: list[Any]
) -> None:
    found = unreadable(config.dataset, write(*rows), labels=True)
    assert found is not None
    assert found.name == "review.json"
    assert_names(found.problem, *said)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [*[NO_DATE] * 1500, SOUND],
        [{**SOUND, "text": ""}],
        [{**SOUND, "text": None}],
        [{**SOUND, "date": None}],
        [{**SOUND, "date": "", "review_id": 7, "text": 5.5}],
        [{**SOUND, "date": "1066-10-14"}],
        [{"review_id": "a", "stars": 4}],
    ],
)
def test_rows_that_are_left_out_for_what_they_say_were_read(
    config: Config, write: Callable[..., Path], rows: list[Any]
) -> None:
    assert unreadable(config.dataset, write(*rows), labels=True) is None


def test_labels_count_where_they_are_read(config: Config, write: Callable[..., Path]) -> None:
    assert unreadable(config.dataset, write({**SOUND, "stars": []}), labels=False) is None


def test_a_row_that_the_condition_leaves_out_was_read(
    config: Config, write: Callable[..., Path], tmp_path: Path
) -> None:
    messages = replace(config.dataset.messages, where="text <> 'fine'")
    dataset = replace(config.dataset, messages=messages)
    assert unreadable(dataset, write(NO_DATE), labels=True) is None
    assert unreadable(dataset, write({**NO_DATE, "text": "bad"}), labels=True) is not None
    layers = Layers(tmp_path / "data", "sample")
    assert check_schema(dataset, [write(NO_DATE, NO_DATE)], tmp_path / "inbox", layers, True) == {}


def test_only_files_of_few_rows_are_sorted_out(config: Config, write: Callable[..., Path], tmp_path: Path) -> None:
    """Guarantee 17: of many rows it is the source that has changed."""
    files = [write(*[NO_DATE] * rows, name=f"review_{rows}.json") for rows in (1, 2, 19)]
    good, layers = write(SOUND, name="review.json"), Layers(tmp_path / "data", "sample")
    assert [*check_schema(config.dataset, [*files, good], tmp_path / "inbox", layers, True)] == files
    with refusal(DataError, "date", 20):
        check_schema(config.dataset, [write(*[NO_DATE] * 20), files[0]], tmp_path / "inbox", layers, True)
    mixed = write(*[NO_DATE, NO_ID, *[NO_TEXT] * 8] * 10)
    assert [*check_schema(config.dataset, [mixed], tmp_path / "inbox", layers, True)] == [mixed]


def test_what_to_do_is_found_out_for_the_first_files(config: Config, write: Callable[..., Path]) -> None:
    found = unreadable_files(config.dataset, [write(SOUND), *[write(NO_DATE, name="a.json")] * 21], labels=False)
    assert [names(file.problem, "31.01.2022") for file in found] == [True] * 20 + [False]
    assert_names(found[20].problem, 1, "str")


@pytest.mark.parametrize("champion", [None, "v0001"])
@pytest.mark.parametrize(
    ("form", "value"),
    [("%d.%m.%Y %H:%M", "31.02.2026 10:00"), ("%d.%m.%Y %H:%M", "01.13.2026 24:75"), (None, "2026-02-30T10:00:00")],
)
def test_a_time_that_the_calendar_does_not_have_is_to_be_corrected(
    config: Config, write: Callable[..., Path], form: str | None, value: str, champion: str | None
) -> None:
    found = unreadable(dated(config, form), write({**SOUND, "date": value}), labels=False, champion=champion)
    assert found is not None
    assert_names(found.problem, "date", 1, f'"{value}"')
    assert settings_in(found.problem) == []


def test_what_is_no_time_at_all_is_to_be_written_as_the_format_says(config: Config, write: Callable[..., Path]) -> None:
    for form, advice in (
        (None, "2022-01-31T09:15:00+01:00"),
        ("iso|%d.%m.%Y", "2022-01-31T09:15:00+01:00"),
        ("%d.%m.%Y", '"%d.%m.%Y"'),
    ):
        found = unreadable(dated(config, form), write({**SOUND, "date": "soon"}), labels=False)
        assert found is not None
        assert_names(found.problem, advice)


def dated(config: Config, form: str | None) -> DatasetConfig:
    """Return the dataset with a format of its times."""
    messages = config.dataset.messages
    columns = messages.columns | {"date": replace(messages.columns["date"], format=form)}
    return replace(config.dataset, messages=replace(messages, columns=columns))


def test_the_advice_reads_files_of_both_forms_and_fits_a_champion(config: Config, write: Callable[..., Path]) -> None:
    setting = "'++dataset.messages.columns.date.format=\"iso|%d.%m.%Y\"'"
    found = unreadable(config.dataset, write(NO_DATE), labels=False)
    assert found is not None
    assert_names(found.problem, '"31.01.2022"', 'date: {role: time, format: "iso|%d.%m.%Y"}', setting)
    found = unreadable(config.dataset, write(*[NO_DATE] * 30), labels=False, champion="v0001")
    assert found is not None
    assert_names(found.problem, "v0001", setting)
