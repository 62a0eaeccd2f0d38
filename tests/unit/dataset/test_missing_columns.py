"""What is advised for a renamed column works: each test applies what the message says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.naming import columns_in, refusal, settings_in

from batch_nlp.config import ColumnConfig, Config, Role
from batch_nlp.dataset.schema_check import check_schema, remember_columns
from batch_nlp.errors import DataError
from batch_nlp.storage.layers import Layers

SOUND = {"review_id": "a", "text": "fine", "date": "13.01.2020"}
DATES = '++dataset.messages.columns.date={role: time, format: "%d.%m.%Y"}'
LABEL = ("dataset.label.column=[product,issue]", "dataset.label.classes=auto")


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., None]:
    """Return a function that checks 30 equal rows as a file of messages, and remembers their columns."""

    def run(config: Config, row: dict[str, Any], champion: str | None = None) -> None:
        file = Path(config.dataset.raw_dir) / "review.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text((json.dumps(row) + "\n") * 30)
        layers = Layers(tmp_path / "data", "sample")
        check_schema(config.dataset, [file], tmp_path / "inbox", layers, champion is None, champion)
        remember_columns(config.dataset, [file], tmp_path / "inbox", layers)

    return run


def renamed(row: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    return {new if name == old else name: value for name, value in row.items()}


@pytest.mark.parametrize(
    ("old", "new", "advice"),
    [
        ("review_id", "reviewId", "+dataset.messages.columns.reviewId={role: id}"),
        ("text", "body", "+dataset.messages.columns.body={role: text}"),
        ("date", "when", '+dataset.messages.columns.when={role: time, format: "%d.%m.%Y"}'),
        ("issue", "subject", "dataset.label.column=[product,[issue,subject]]"),
    ],
)
def test_a_new_name_beside_the_old_one_reads_both(
    tmp_path: Path, make_config: Callable[..., Config], check: Callable[..., None], old: str, new: str, advice: str
) -> None:
    settings = (DATES, *LABEL)
    before = {**SOUND, "product": "loan", "issue": "late"}
    after = renamed(before, old, new)
    check(make_config(tmp_path, *settings), before)
    with pytest.raises(DataError) as refused:
        check(make_config(tmp_path, *settings), after)
    [said] = settings_in(refused.value)
    assert said == advice
    with_advice = make_config(tmp_path, DATES, *(LABEL[1:] if "label" in said else LABEL), said)
    for row in (before, after):
        check(with_advice, row)


def test_a_name_that_no_command_line_takes_is_for_the_file_of_the_dataset(
    tmp_path: Path, make_config: Callable[..., Config], check: Callable[..., None]
) -> None:
    config = make_config(tmp_path, DATES)
    after = renamed(SOUND, "review_id", "review id: new")
    with pytest.raises(DataError) as refused:
        check(config, after)
    [line] = columns_in(refused.value)
    added = {name: ColumnConfig(Role(column["role"])) for name, column in yaml.safe_load(line).items()}
    messages = replace(config.dataset.messages, columns={**config.dataset.messages.columns, **added})
    check(replace(config, dataset=replace(config.dataset, messages=messages)), after)


@pytest.mark.parametrize(
    ("settings", "old"),
    [
        (("+dataset.messages.columns.price={role: number}",), "price"),
        (("dataset.messages.where=\"price = '3'\"",), "price"),
    ],
)
def test_where_no_setting_reads_both_the_file_is_changed(
    tmp_path: Path, make_config: Callable[..., Config], check: Callable[..., None], settings: tuple[str, ...], old: str
) -> None:
    config = make_config(tmp_path, DATES, *settings)
    check(config, {**SOUND, old: 3})
    with refusal(DataError, "Price", old) as refused:
        check(config, {**SOUND, "Price": 3})
    assert settings_in(refused.value) == []
    check(config, renamed({**SOUND, "Price": 3}, "Price", old))


def test_a_champion_reads_its_own_texts_and_the_ids_of_the_settings(
    tmp_path: Path, make_config: Callable[..., Config], check: Callable[..., None]
) -> None:
    config = make_config(tmp_path, DATES)
    after = {"reviewId": "a", "body": "fine", "date": "13.01.2020", "useful": 3}
    with refusal(DataError, "v0007", "NEW", "text", "body, reviewId") as refused:
        check(config, after, champion="v0007")
    trained, setting = settings_in(refused.value)
    assert trained == "+dataset.messages.columns.NEW={role: text}"
    check(make_config(tmp_path, DATES, setting), renamed(after, "body", "text"), champion="v0007")


def test_a_column_of_a_side_table_is_renamed_in_its_file(
    tmp_path: Path, make_config: Callable[..., Config], check: Callable[..., None]
) -> None:
    config = make_config(tmp_path, DATES)
    users = Path(config.dataset.raw_dir) / "user.json"
    users.parent.mkdir(parents=True)
    users.write_text('{"userId": "u", "elite": "2018"}\n' * 30)
    with refusal(DataError, "userId", "user_id"):
        check(config, SOUND)
    users.write_text(users.read_text().replace("userId", "user_id"))
    check(config, SOUND)


def test_a_column_that_nothing_in_the_file_can_be_is_added(
    tmp_path: Path, make_config: Callable[..., Config], check: Callable[..., None]
) -> None:
    config = make_config(tmp_path, DATES)
    with refusal(DataError, "date") as refused:
        check(config, {"review_id": "a", "text": "fine", "mood": "good"})
    assert settings_in(refused.value) == []
    check(config, {**SOUND, "mood": "good"})


@pytest.mark.parametrize("champion", [None, "v0001"])
def test_a_file_whose_rows_lie_below_a_field_is_read_by_the_setting_that_is_advised(
    tmp_path: Path, make_config: Callable[..., Config], check: Callable[..., None], champion: str | None
) -> None:
    below = {"exported": "2026-11-30T10:00:00Z", "tickets": [{**SOUND, "date": "2020-01-13"}]}
    with refusal(DataError, "dataset.messages.rows=tickets") as refused:
        check(make_config(tmp_path), below, champion)
    assert columns_in(refused.value) == []
    for row in (below, below["tickets"][0]):
        check(make_config(tmp_path, "dataset.messages.rows=tickets"), row, champion)


@pytest.mark.parametrize("path", [["tickets"], ["feed", "tickets"], []])
def test_a_file_whose_columns_lie_within_objects_is_flattened_as_advised(
    tmp_path: Path, make_config: Callable[..., Config], path: list[str]
) -> None:
    config = make_config(tmp_path, "+dataset.messages.columns.body={role: text}")
    columns = {name: column for name, column in config.dataset.messages.columns.items() if name != "text"}
    columns["fields.text"] = columns.pop("body")
    config = replace(
        config, dataset=replace(config.dataset, messages=replace(config.dataset.messages, columns=columns))
    )
    ticket = {"review_id": "a", "date": "2020-01-13", "fields": {"text": "late"}}
    content: Any = [ticket] if path else ticket
    for name in reversed(path):
        content = {"exported": "2026-11-30T10:00:00Z", name: content}
    file, layers = tmp_path / "inbox" / "tickets 2.json", Layers(tmp_path / "data", "sample")
    file.parent.mkdir()
    file.write_text(json.dumps(content))
    with refusal(DataError, "tickets 2_flat.jsonl", "tickets 2.json") as refused:
        check_schema(config.dataset, [file], file.parent, layers, True)
    [typed] = re.findall(r"python -c ('[^']*')", str(refused.value))
    exec(*shlex.split(typed), {})  # noqa: S102 as python -c does
    check_schema(config.dataset, [file.with_name("tickets 2_flat.jsonl")], file.parent, layers, True)


def test_times_and_numbers_are_no_new_name_of_a_text(
    tmp_path: Path, make_config: Callable[..., Config], check: Callable[..., None]
) -> None:
    row = {"review_id": "a", "date": "2020-01-13", "exported": "2026-11-30T10:00:00Z", "price": "3.50"}
    with refusal(DataError, "text"):
        check(make_config(tmp_path), row)
