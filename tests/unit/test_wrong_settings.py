"""Guarantee 10 for every setting: what is misspelt, of another type or out of range is refused by its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf
from tests.conftest import ROOT
from tests.projects import Project

from batch_nlp.config import Config
from batch_nlp.config.load import typed_settings
from batch_nlp.errors import ExitCode, SettingsError
from batch_nlp.runner import check_settings

# setting, value, words that the message must have
OUT_OF_RANGE: list[tuple[str, object, list[str]]] = [
    ("training.metric", "accuracy", ["f1_weighted"]),
    ("training.window", -1, ["0 (the newest) or more"]),
    ("training.rows_in_memory", -1, ["0 (always on disk) or more"]),
    ("training.decision.metric", "recall", ["f1_macro"]),
    ("training.decision.folds", 1, ["at least 2"]),
    ("training.ngrams.folds", 1, ["at least 2"]),
    ("training.ngrams.max_n", 0, ["at least 1"]),
    ("training.min_class_messages", 1, ["folds", "a message of each class for each fold"]),
    ("training.keep_versions", 1, ["at least 2, to roll back"]),
    ("training.gate.bootstrap_samples", 99, ["at least 100"]),
    ("training.gate.confidence", 1.0, ["between 0 and 1"]),
    ("engine.batch_rows", 0, ["at least 1"]),
    ("engine.commit_rows", 0, ["at least 1"]),
    ("engine.threads", -1, ["0 (all cores) or more"]),
    ("inference.min_age_seconds", -1.0, ["a number of seconds, 0 or more"]),
    ("quarantine.max_share", 1.5, ["a share between 0 and 1"]),
    ("features.embedding.dims", 0, ["at least 1"]),
    ("dataset.label.classes", "atuo", ["'auto'"]),
    ("dataset.label.rare", {"under": 20, "as": "othr"}, ["other"]),
    ("dataset.messages.where", "inbound = ", ["TRY_CAST"]),
    ("dataset.messages.where", "true", ["names no column"]),
    ("dataset.messages.columns.text.role", "txt", ["text"]),
    ("dataset.messages.columns.user_id.of", "users", ["'user'"]),
    ("dataset.messages.columns.date.zone", "Rome", ["no such time zone"]),
    ("dataset.messages.columns.stars.role", "number", ["dataset.forbidden"]),
    ("dataset.split.column", "user", ["'user_id'"]),
    ("training.split", "rand", ["random"]),
    ("training.max_equal_times", 1.5, ["a share between 0 and 1"]),
    ("features.steps", [{"_target_": "os.system"}], ["os.system"]),
    ("dataset.steps", [{"_target_": "batch_nlp.steps.mask.Mask", "_after_": "cleantext"}], ["'clean_text'"]),
    ("inference.steps", [{"_target_": "os.system"}], ["os.system"]),
    ("inference.steps", ["predict"], ["import path of a step"]),
    ("training.steps", [{"_target_": "os.system"}], ["os.system"]),
    ("drift.rules", [], ["one rule or more"]),
    ("drift.rules", ["share", "share"], ["each once"]),
    ("drift.rules", ["shares"], ["share", "interval"]),
    ("drift.response", "retrian", ["retrain", "alert"]),
    ("drift.significance", 0.0, ["between 0 and 1"]),
    ("drift.change_significance", 1.0, ["between 0 and 1"]),
    ("drift.min_auc", 0.4, ["0.5 or more"]),
    ("drift.min_share_change", 1.0, ["less than 1"]),
    ("drift.min_psi", -0.1, ["0 or more"]),
    ("drift.min_new_labels", float("inf"), ["0 or more"]),
    ("drift.window", 0, ["at least 1"]),
    ("drift.sample", 99, ["at least 100"]),
    ("drift.resamples", 98, ["at least 99"]),
    ("notify.timeout", 0.0, ["more than 0 seconds"]),
    ("notify.attempts", 0, ["at least 1"]),
    ("notify.format", "teams", ["slack"]),
    ("simulation.scenario", "strom", ["stable"]),
]


@pytest.fixture(scope="module")
def composed() -> DictConfig:
    """Return the settings as the command line composes them; nobody changes them."""
    OmegaConf.register_new_resolver("project_root", lambda: str(ROOT), replace=True)
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return compose("config", overrides=["paths.data=/nowhere", "paths.models=/nowhere"])


def refusal(composed: DictConfig, key: str, value: object) -> str:
    """Return what is said of the settings with this one changed."""
    changed = composed.copy()
    OmegaConf.update(changed, key, value, force_add=True)
    with pytest.raises(SettingsError) as wrong:
        check_settings(typed_settings(changed))
    assert wrong.value.exit_code is ExitCode.SETTINGS
    return str(wrong.value)


def nodes(node: DictConfig, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every setting of the schema and every group of them, by its whole name."""
    for name in map(str, node):
        value = None if OmegaConf.is_missing(node, name) else node[name]
        yield prefix + name, value
        if isinstance(value, DictConfig):
            yield from nodes(value, f"{prefix}{name}.")


SCHEMA = dict(nodes(OmegaConf.structured(Config)))
NUMBERS = sorted(key for key, value in SCHEMA.items() if isinstance(value, int | float))
# groups of fixed names; the others, such as the parameters of a model, take any
GROUPS = sorted(key for key, value in SCHEMA.items() if isinstance(value, DictConfig) and len(value))


def test_the_settings_as_they_are_raise_nothing(composed: DictConfig) -> None:
    check_settings(typed_settings(composed))


@pytest.mark.parametrize(("key", "value", "words"), OUT_OF_RANGE, ids=str)
def test_a_value_out_of_range_is_refused_by_name(
    composed: DictConfig, key: str, value: object, words: list[str]
) -> None:
    """Guarantee 10."""
    message = refusal(composed, key, value)
    for word in (key, *words):
        assert word in message


@pytest.mark.parametrize("key", NUMBERS)
def test_a_word_where_a_number_or_a_switch_belongs_is_refused_by_name(composed: DictConfig, key: str) -> None:
    """Guarantee 10."""
    message = refusal(composed, key, "plenty")
    assert key in message
    assert "plenty" in message


@pytest.mark.parametrize("group", GROUPS)
def test_a_misspelt_setting_of_each_group_is_told_the_nearest_one(composed: DictConfig, group: str) -> None:
    """Guarantee 10."""
    name = next(iter(map(str, SCHEMA[group])))
    misspelt = f"{group}.{name[:-1]}{name[-1] * 2}"
    message = refusal(composed, misspelt, 1)
    assert misspelt in message
    assert f"'{group}.{name}'" in message


def test_a_run_that_trains_cannot_borrow_a_champion(tmp_path: Path) -> None:
    """Guarantee 10."""
    result = Project(tmp_path).here("pipeline=training", "inference.champion_of=yelp")
    assert result.returncode == ExitCode.SETTINGS
    assert "inference.champion_of=yelp: a run that trains scores with its own champion" in result.stderr
