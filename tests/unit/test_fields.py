from __future__ import annotations

import json

import pyarrow as pa
import pytest

from batch_nlp.fields import KEYS, Field, FieldRole, Fields

TEXT, PRICE = Field("text", FieldRole.TEXT), Field("price", FieldRole.NUMBER)
HOUR, SHOP = Field("hour", FieldRole.NUMBER, drifts=False), Field("shop", FieldRole.CATEGORY)
MEANING = Field("meaning", FieldRole.VECTOR)
MIXED = Fields([MEANING, HOUR, SHOP, TEXT, PRICE])


def test_fields_are_selected_by_role_in_the_order_of_the_steps() -> None:
    assert MIXED.names == ["meaning", "hour", "shop", "text", "price"]
    assert MIXED.numbers == ["hour", "price"]
    assert MIXED.categories == ["shop"]
    assert MIXED.vectors == ["meaning"]
    assert MIXED.of(FieldRole.TEXT, FieldRole.CATEGORY) == ["shop", "text"]


def test_the_store_has_its_keys_and_then_a_column_for_each_field() -> None:
    assert MIXED.schema.names == ["message_id", "written_at", "text_hash", "group", *MIXED.names]
    assert [field.type for field in MIXED.schema][len(KEYS) :] == [
        pa.list_(pa.float32()), pa.float64(), pa.string(), pa.string(), pa.float64(),
    ]  # fmt: skip
    assert Fields().schema.names == ["message_id", "written_at", "text_hash", "group"]


@pytest.mark.parametrize("fields", [Fields(), MIXED])
def test_a_manifest_gives_back_the_fields_that_it_was_given(fields: Fields) -> None:
    found = Fields.from_list(json.loads(json.dumps(fields.to_list())))
    assert found == fields
    assert isinstance(found, Fields)


def test_a_field_as_it_is_written() -> None:
    assert Fields([HOUR]).to_list() == [{"name": "hour", "role": "number", "drifts": False}]


def test_a_step_that_returns_a_field_again_replaces_its_values_alone() -> None:
    again = Field("text", FieldRole.TEXT, drifts=False)
    assert Fields.joined([[TEXT, PRICE], [again, SHOP], []]) == Fields([TEXT, PRICE, SHOP])
