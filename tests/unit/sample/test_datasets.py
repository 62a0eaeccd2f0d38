"""Files in conf/dataset with a sample: they compose, and what they declare is what the sample has."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from tests.settings import default

from batch_nlp.config import Config, DriftRule, Role, SampleConfig, parse
from batch_nlp.sample import write_batch, write_history
from batch_nlp.storage.raw.file_names import find_files

ROOT = Path(__file__).resolve().parents[3]
DATASETS = ["airline_tweets", "complaints", "products", "support_tweets", "yelp"]
# ignored where real files have them; the samples do not
ONLY_REAL = {"Unnamed: 0", "zip_code", "name", "tweet_coord", "tweet_location", "user_timezone"} | {
    *("details", "fit", "image", "imageURL", "imageURLHighRes", "similar_item", "tech1", "tech2")
}


def composed(dataset: str, *overrides: str) -> Config:
    OmegaConf.register_new_resolver("project_root", lambda: str(ROOT), replace=True)
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return parse(Config, compose("config", overrides=[f"dataset={dataset}", *overrides]))


def columns_of(path: Path, rows: str | None) -> set[str]:
    lines = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).splitlines()
    if path.suffix == ".csv":
        return set(lines[0].decode().split(","))
    first: dict[str, Any] = orjson.loads(lines[0])
    return set(first[rows] if rows else first)


@pytest.mark.parametrize("dataset", DATASETS)
def test_declared_columns_are_those_of_the_sample(tmp_path, dataset):
    settings, messages = composed(dataset).dataset, composed(dataset).dataset.messages
    sample = default(SampleConfig, messages=100, batch_messages=20, broken_share=0.0)
    write_history(tmp_path / "raw", sample, source=settings.sample)
    batch = write_batch(tmp_path / "inbox", tmp_path / "pending", sample, source=settings.sample)
    files = find_files(tmp_path / "raw", messages.files)
    assert files
    assert find_files(tmp_path / "inbox", messages.files) == [batch]

    present = set().union(*(columns_of(file, messages.rows) for file in files))
    assert set(messages.columns) - present <= ONLY_REAL
    assert present - set(messages.columns) <= set(settings.forbidden)
    # nothing from after the message is in a batch, and nothing that is used is missing from it
    new = columns_of(batch, messages.rows)
    used = {name for name, column in messages.columns.items() if column.role is not Role.ignore}
    assert used & present - {"narrative"} <= new
    label = settings.label.column
    assert not new & {*([label] if isinstance(label, str) else label or [])}


@pytest.mark.parametrize("dataset", DATASETS)
def test_nothing_that_is_forbidden_has_a_role(dataset):
    settings = composed(dataset).dataset
    roles = {name: column.role for name, column in settings.messages.columns.items()}
    assert {roles[name] for name in settings.forbidden if name in roles} <= {Role.ignore}
    assert Role.text in roles.values()


@pytest.mark.parametrize("dataset", ["airline_tweets", "complaints", "products"])
def test_a_dataset_chooses_its_rule_and_the_command_line_another(dataset):
    assert composed(dataset).drift.rules == [DriftRule.reference]
    assert composed(dataset, "drift=default").drift.rules == [DriftRule.share]
    assert composed("yelp").drift.rules == [DriftRule.share]
