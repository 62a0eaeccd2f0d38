"""Settings that cannot be satisfied are named before anything is written."""

from __future__ import annotations

from tests.naming import refusal
from tests.settings import default

from batch_nlp.config import SampleConfig
from batch_nlp.errors import SettingsError
from batch_nlp.sample import write_batch, write_history


def test_a_mix_of_other_classes_is_named_and_nothing_is_written(tmp_path):
    settings = default(SampleConfig, class_mix=[0.5, 0.5])
    with refusal(SettingsError, "sample.class_mix=[0.5, 0.5]"):
        write_history(tmp_path / "raw", settings)
    with refusal(SettingsError, "sample.class_mix=[0.5, 0.5]"):
        write_batch(tmp_path / "inbox", tmp_path / "pending", settings)
    assert not list(tmp_path.iterdir())


def test_a_class_mix_may_be_off_by_rounding(tmp_path):
    settings = default(SampleConfig, batch_messages=3, class_mix=[0.3333333, 0.3333333, 0.3333333])
    assert write_batch(tmp_path / "inbox", tmp_path / "pending", settings).is_file()
