"""The stage `sample` writes in the format of the dataset, and says what a dataset lacks."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.naming import refusal
from tests.settings import default

from batch_nlp.config import DatasetConfig, LabelConfig, MessagesConfig, SampleConfig, SamplePart
from batch_nlp.errors import DataError, SettingsError
from batch_nlp.runner.sample import generate_sample, write_sample


def run_of(folder: Path, part: SamplePart, sample: str | None = "complaints", label: str | None = "product") -> Any:
    dataset = default(
        DatasetConfig,
        name="mine",
        raw_dir=str(folder / "raw"),
        sample=sample,
        messages=default(MessagesConfig, files="*complaint*"),
        label=default(LabelConfig, column=label),
    )
    config = SimpleNamespace(dataset=dataset, sample=default(SampleConfig, part=part, messages=30, batch_messages=10))
    return SimpleNamespace(
        config=config, inbox=folder / "inbox", layers=SimpleNamespace(pending_labels=folder / "pending")
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_each_part_is_written_in_the_format_of_the_dataset(tmp_path):
    write_sample(run_of(tmp_path, SamplePart.history))
    assert names(tmp_path / "raw") == ["complaints.json", "complaints_processed.csv"]
    write_sample(run_of(tmp_path, SamplePart.batch))
    assert names(tmp_path / "inbox") == ["complaints_batch_0001.json"]
    write_sample(run_of(tmp_path, SamplePart.labels))
    assert names(tmp_path / "raw") == ["complaints.json", "complaints_batch_0001.json", "complaints_processed.csv"]
    with refusal(DataError, tmp_path / "raw"):
        write_sample(run_of(tmp_path, SamplePart.history))


def test_a_first_run_gets_a_history_and_a_batch_once(tmp_path):
    run = run_of(tmp_path, SamplePart.history)
    for _ in range(2):
        generate_sample(run, with_batch=True)
    assert names(tmp_path / "inbox") == ["complaints_batch_0001.json"]
    assert len(names(tmp_path / "raw")) == 2


@pytest.mark.parametrize("part", list(SamplePart))
def test_a_dataset_without_a_generator_is_refused(tmp_path, part):
    with refusal(SettingsError, "dataset.sample"):
        write_sample(run_of(tmp_path, part, sample=None))


def test_a_dataset_without_labels_delivers_none(tmp_path):
    with refusal(SettingsError, "sample.part=labels", "mine"):
        write_sample(run_of(tmp_path, SamplePart.labels, "support_tweets", None))
