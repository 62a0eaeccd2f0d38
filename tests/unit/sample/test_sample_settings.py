"""Settings that cannot be satisfied are named before anything is written."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from tests.naming import refusal

from batch_nlp.config import SampleConfig
from batch_nlp.errors import SettingsError
from batch_nlp.sample import write_batch, write_history


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("messages", 0),
        ("batch_messages", 0),
        ("seed", -1),
        ("vocabulary", 1.1),
        ("vocabulary", math.nan),
        ("duplicate_share", -0.1),
        ("broken_share", 2.0),
        ("length", 0.0),
        ("length", math.inf),
        ("class_mix", [0.5, 0.5]),
        ("class_mix", []),
        ("class_mix", [0.5, 0.6, -0.1]),
        ("class_mix", [0.2, 0.2, 0.2]),
        ("class_mix", [math.nan, 0.5, 0.5]),
    ],
)
def test_a_bad_setting_is_named_and_nothing_is_written(tmp_path, field, value):
    settings = replace(SampleConfig(), **{field: value})
    with refusal(SettingsError, f"sample.{field}"):
        write_history(tmp_path / "raw", settings)
    with refusal(SettingsError, f"sample.{field}"):
        write_batch(tmp_path / "inbox", tmp_path / "pending", settings)
    assert not list(tmp_path.iterdir())


def test_a_class_mix_may_be_off_by_rounding(tmp_path):
    settings = SampleConfig(batch_messages=3, class_mix=[0.3333333, 0.3333333, 0.3333333])
    assert write_batch(tmp_path / "inbox", tmp_path / "pending", settings).is_file()
