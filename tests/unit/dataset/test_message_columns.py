"""What a dataset's file says of its columns, and what it cannot say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.naming import columns_in, refusal, settings_in
from tests.projects import DATASETS
from tests.settings import default

from batch_nlp.config import (
    ColumnConfig,
    Config,
    DatasetConfig,
    MessagesConfig,
    Role,
    SideTableConfig,
    SplitConfig,
    parse,
)
from batch_nlp.dataset.message_columns import check_columns, field_name, joins, names_of
from batch_nlp.errors import ExitCode, SettingsError


def column(role: str, **more: Any) -> ColumnConfig:
    return ColumnConfig(Role(role), **more)


def table(name: str = "shops", **columns: ColumnConfig) -> SideTableConfig:
    return SideTableConfig(name, f"{name}*", "id", columns)


def dataset(*tables: SideTableConfig, **columns: ColumnConfig) -> DatasetConfig:
    messages = default(MessagesConfig, files="*", rows=None, columns={"text": column("text"), **columns})
    return default(DatasetConfig, name="mine", raw_dir="raw", messages=messages, side_tables=list(tables))


SOUND = dataset(
    table(
        size=column("number"), kind=column("category"), more=column("raw"), since=column("time"), of=column("ignore")
    ),
    id=column("id"),
    at=column("time", zone="Europe/Rome"),
    brand=column("category"),
    price=column("number", name="cost"),
    extra=column("raw"),
    shop=column("key", of="shops"),
    other=column("key"),
    rest=column("ignore"),
)


def test_a_sound_file_is_not_refused() -> None:
    check_columns(SOUND)
    check_columns(dataset())
    check_columns(replace(SOUND, forbidden=["rest", "never_there"], split=default(SplitConfig, column="brand")))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (default(DatasetConfig, name="mine", raw_dir="raw"), ["dataset.messages.columns", "text"]),
        (
            replace(SOUND, messages=default(MessagesConfig, files="*", rows=None, columns={"id": column("id")})),
            ["dataset.messages.columns", "text"],
        ),
        (dataset(table(), table()), ["dataset.side_tables[0].name=shops"]),
        (
            dataset(table(), who=column("key", of="shop")),
            ["dataset.messages.columns.who.of=shop", "'shops'"],
        ),
        (dataset(who=column("key", of="shops")), ["dataset.messages.columns.who.of=shops"]),
        (dataset(table(size=column("text"))), ["dataset.side_tables[0].columns.size.role", "category, number, raw"]),
        (dataset(table(size=column("key"))), ["dataset.side_tables[0].columns.size.role"]),
        (dataset(table(), table("two", size=column("id"))), ["dataset.side_tables[1].columns.size.role"]),
        (dataset(table(size=column("number", name="s"))), ["dataset.side_tables[0].columns.size.name=s", "NAME_size"]),
        (
            dataset(label=column("category")),
            ["columns.label"],
        ),
        (dataset(message_id=column("number")), ["columns.message_id"]),
        (dataset(mine=column("category", name="text")), ["columns.mine", "text"]),
        (dataset(**{"a<b": column("number")}), ["columns.a<b"]),
        (dataset(**{"a[0]": column("raw")}), ["columns.a[0]"]),
        (
            replace(SOUND, forbidden=["brand"]),
            ["columns.brand.role=category", "dataset.forbidden"],
        ),
        (replace(SOUND, forbidden=["kind"]), ["dataset.side_tables[0].columns.kind.role=category"]),
        (replace(SOUND, forbidden=["id"]), ["columns.id.role=id"]),
        (replace(SOUND, split=default(SplitConfig, column="brnd")), ["dataset.split.column=brnd", "'brand'"]),
        (replace(SOUND, split=default(SplitConfig, column="zzz")), ["dataset.split.column=zzz", "brand", "shop"]),
    ],
    ids=lambda value: value[0][:40] if isinstance(value, list) else "",
)
def test_columns_that_cannot_be_what_the_file_says_are_refused_by_name(wrong: DatasetConfig, words: list[str]) -> None:
    """Guarantee 10."""
    with refusal(SettingsError, *words) as refused:
        check_columns(wrong)
    assert refused.value.exit_code is ExitCode.SETTINGS


@pytest.mark.parametrize("name", ["shops_size", "cost"])
def test_two_fields_of_one_name_are_refused(name: str) -> None:
    columns = {**SOUND.messages.columns, "again": column("category", name=name)}
    with refusal(SettingsError, "again", name):
        check_columns(replace(SOUND, messages=replace(SOUND.messages, columns=columns)))


def test_two_keys_under_one_name_are_refused() -> None:
    with refusal(SettingsError, "first", "second", "shops_n"):
        check_columns(
            dataset(table(n=column("number")), first=column("key", of="shops"), second=column("key", of="shops"))
        )


def test_columns_are_found_by_role_in_the_order_of_the_file() -> None:
    columns = SOUND.messages.columns
    assert names_of(columns, Role.number, Role.category) == ["brand", "price"]
    assert field_name("price", columns["price"]) == "cost"
    assert field_name("brand", columns["brand"]) == "brand"


def test_a_key_joins_its_table_under_the_tables_name_or_its_own() -> None:
    found = dataset(
        table(), shop=column("key", of="shops"), seller=column("key", of="shops", name="by"), who=column("key")
    )
    joined = joins(found.messages.columns, found.side_tables)
    assert [(one.key, one.prefix, one.table.name) for one in joined] == [
        ("shop", "shops", "shops"),
        ("seller", "by", "shops"),
    ]


@pytest.mark.parametrize("name", DATASETS)
def test_no_forbidden_column_of_a_dataset_that_comes_with_the_project_can_get_a_role(
    name: str, tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    found = make_config(tmp_path, f"dataset={name}").dataset
    check_columns(found)
    assert found.forbidden
    for forbidden in found.forbidden:
        columns = {**found.messages.columns, forbidden: column("raw")}
        with refusal(SettingsError, forbidden, "dataset.forbidden"):
            check_columns(replace(found, messages=replace(found.messages, columns=columns)))


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (dataset(text_hash=column("category")), "text_hash"),
        (dataset(**{"a: [0]": column("raw")}), "a: [0]"),
        (dataset(table(n=column("number")), k=column("key", of="shops"), l=column("key", of="shops")), "l"),
    ],
)
def test_the_other_name_that_is_advised_is_taken(wrong: DatasetConfig, name: str) -> None:
    with pytest.raises(SettingsError) as refused:
        check_columns(wrong)
    [line] = columns_in(refused.value)
    assert settings_in(refused.value) == (
        [f'++dataset.messages.columns.{name}.name="other"'] if name.isidentifier() else []
    )
    own = {key: parse(ColumnConfig, value) for key, value in yaml.safe_load(line).items()}
    columns = {**wrong.messages.columns, **own}
    check_columns(replace(wrong, messages=replace(wrong.messages, columns=columns)))


def test_the_other_name_that_is_advised_is_a_setting(tmp_path: Path, make_config: Callable[..., Config]) -> None:
    taken = "+dataset.messages.columns.text_hash={role: category}"
    with pytest.raises(SettingsError) as refused:
        check_columns(make_config(tmp_path, taken).dataset)
    [setting] = settings_in(refused.value)
    check_columns(make_config(tmp_path, taken, setting).dataset)
