"""Every file of conf/ composes, keeps the schema, and can be built."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import ROOT, MakeConfig
from tests.projects import DATASETS

from batch_nlp.config import Config
from batch_nlp.dataset.classes import class_map
from batch_nlp.dataset.labels import check_label
from batch_nlp.dataset.message_columns import check_columns
from batch_nlp.dataset.split import split_of
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.feature.pipeline import feature_fields
from batch_nlp.monitoring.band import check_drift
from batch_nlp.runner import check_settings
from batch_nlp.training.pipeline import build_training_pipeline

CONF = ROOT / "conf"
# groups that are not in the defaults: what is chosen changes settings of other groups
ADDED = ("ablation", "experiment", "search")
# choices that are named as what they build on
NAMES = {"auto": "xgboost"}
CHOICES = sorted(
    (folder.name, file.stem)
    for folder in CONF.iterdir()
    if folder.is_dir() and folder.name not in {"hydra", *ADDED}
    for file in folder.glob("*.yaml")
    if folder.name != "dataset" or file.stem in DATASETS
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("configs")


@pytest.fixture(scope="module")
def default(folder: Path, make_config: MakeConfig) -> Config:
    return make_config(folder)


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_every_choice_composes_and_builds(group: str, choice: str, tmp_path: Path, make_config: MakeConfig) -> None:
    config = make_config(tmp_path, f"{group}={choice}")
    assert getattr(getattr(config, group), "name", choice) == NAMES.get(choice, choice)
    check_label(config.dataset.label)
    check_columns(config.dataset)
    split_of(config)
    listed = class_map(config.dataset.label) if config.dataset.label.rare is None else None
    check_drift(config.drift, listed.classes if listed else None)
    fields = feature_fields(FeatureDefinition.from_config(config))
    assert fields.names[0] == "text"
    names = [name for name, _ in build_training_pipeline(config, fields).steps]
    assert names == ["imputer", "encoding", "scaler", "dimensionality_reducer", "training"]


@pytest.mark.parametrize("choice", sorted(f"+{file.parent.name}={file.stem}" for group in ("ablation", "experiment")
                                          for file in (CONF / group).glob("*.yaml")))  # fmt: skip
def test_every_experiment_composes_builds_and_changes_something(
    choice: str, folder: Path, default: Config, make_config: MakeConfig
) -> None:
    config = make_config(folder, choice)
    assert config != default
    build_training_pipeline(config, feature_fields(FeatureDefinition.from_config(config)))


@pytest.mark.parametrize(
    ("dataset", "split", "rules", "fields"),
    [
        ("yelp", "time", ["share"], ["text", "text_length", "year", "category_group", "elite_years", "embedding"]),
        ("complaints", "random", ["reference"], ["text", "text_length", "embedding"]),
        ("products", "random", ["reference"], ["text", "brand", "price", "text_length", "embedding"]),
        ("support_tweets", "time", ["share"], ["text", "text_length", "year", "embedding"]),
        ("airline_tweets", "time", ["reference"], ["text", "airline", "text_length", "year", "embedding"]),
    ],
)
def test_a_dataset_brings_its_fields_split_and_rule(
    dataset: str, split: str, rules: list[str], fields: list[str], folder: Path, make_config: MakeConfig
) -> None:
    config = make_config(folder, f"dataset={dataset}")
    assert split_of(config).value == split
    assert [rule.value for rule in config.drift.rules] == rules
    found = feature_fields(FeatureDefinition.from_config(config)).names
    assert [name for name in found if name in fields] == fields
    assert ("year" in found) is ("year" in fields)


def test_the_rule_of_a_dataset_gives_way_to_the_command_line(folder: Path, make_config: MakeConfig) -> None:
    config = make_config(folder, "dataset=products", "drift.rules=[interval]")
    assert [rule.value for rule in config.drift.rules] == ["interval"]


EIGHT_LINES = """\
name: of_tests
messages:
  files: "*"
  columns:
    content: {role: text}
label: {column: category}
"""


def test_a_dataset_of_two_columns_takes_a_file_of_a_few_lines(tmp_path: Path, make_config: MakeConfig) -> None:
    (tmp_path / "conf" / "dataset").mkdir(parents=True)
    (tmp_path / "conf" / "dataset" / "of_tests.yaml").write_text(EIGHT_LINES)
    config = make_config(tmp_path, f"hydra.searchpath=[file://{tmp_path / 'conf'}]", "dataset=of_tests")
    check_settings(config)
    assert split_of(config).value == "random"
    assert config.dataset.raw_dir == f"{tmp_path}/data/01_raw/of_tests"
    assert (config.dataset.label.classes, config.dataset.side_tables, config.dataset.steps) == ("auto", [], [])
