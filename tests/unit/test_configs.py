"""Every file of conf/ composes, keeps the schema, and can be built."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import ROOT, MakeConfig

from batch_nlp.config import Config
from batch_nlp.runner import check_settings
from batch_nlp.training.pipeline import build_training_pipeline

CONF = ROOT / "conf"
# groups that are not in the defaults: what is chosen changes settings of other groups
ADDED = ("ablation", "experiment", "search")
# what a choice asks of other settings
NEEDS = {"ngram_baseline": ["training.balance=none"], "none": ["training.inputs=[tabular,ngrams]"]}
CHOICES = sorted(
    (folder.name, file.stem)
    for folder in CONF.iterdir()
    if folder.is_dir() and folder.name not in {"hydra", *ADDED}
    for file in folder.glob("*.yaml")
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("configs")


@pytest.fixture(scope="module")
def default(folder: Path, make_config: MakeConfig) -> Config:
    return make_config(folder)


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_every_choice_composes_and_builds(group: str, choice: str, tmp_path: Path, make_config: MakeConfig) -> None:
    config = make_config(tmp_path, f"{group}={choice}", *NEEDS.get(choice, []))
    assert getattr(getattr(config, group), "name", choice) == choice
    check_settings(config)
    names = [name for name, _ in build_training_pipeline(config).steps]
    assert names == ["imputer", "encoding", "scaler", "dimensionality_reducer", "training"]


@pytest.mark.parametrize("choice", sorted(f"+{file.parent.name}={file.stem}" for group in ("ablation", "experiment")
                                          for file in (CONF / group).glob("*.yaml")))  # fmt: skip
def test_every_experiment_composes_builds_and_changes_something(
    choice: str, folder: Path, default: Config, make_config: MakeConfig
) -> None:
    config = make_config(folder, choice)
    assert (config != default) is not (choice == "+ablation=inputs_all")  # which is the default
    build_training_pipeline(config)
