"""Guarantee 10 for every setting: what is misspelt, of another type or out of range is refused by its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf
from tests.conftest import ROOT
from tests.naming import assert_ended, assert_names
from tests.projects import Project

from batch_nlp.config import Config
from batch_nlp.config.load import typed_settings
from batch_nlp.errors import ExitCode, SettingsError
from batch_nlp.runner import check_settings

# setting, value, what the message must name beside the setting
OUT_OF_RANGE: list[tuple[str, object, list[object]]] = [
    ("training.metric", "accuracy", ["f1_weighted"]),
    ("training.window", -1, [0]),
    ("training.rows_in_memory", -1, [0]),
    ("training.decision.metric", "recall", ["f1_macro"]),
    ("training.decision.folds", 1, [2]),
    ("training.ngrams.folds", 1, [2]),
    ("training.ngrams.max_n", 0, [1]),
    ("training.min_class_messages", 1, ["folds"]),
    ("training.keep_versions", 1, [2]),
    ("training.gate.bootstrap_samples", 99, [100]),
    ("training.gate.confidence", 1.0, [0, 1]),
    ("engine.batch_rows", 0, [1]),
    ("engine.commit_rows", 0, [1]),
    ("engine.threads", -1, [0]),
    ("inference.min_age_seconds", -1.0, [0]),
    ("quarantine.max_share", 1.5, [0, 1]),
    ("features.embedding.dims", 0, [1]),
    ("dataset.label.classes", "atuo", ["'auto'"]),
    ("dataset.label.rare", {"under": 20, "as": "othr"}, ["other"]),
    ("dataset.messages.where", "inbound = ", ["TRY_CAST"]),
    ("dataset.messages.where", "true", ["TRY_CAST"]),
    ("dataset.messages.columns.text.role", "txt", ["text"]),
    ("dataset.messages.columns.user_id.of", "users", ["'user'"]),
    ("dataset.messages.columns.date.zone", "Rome", ["Europe/Rome"]),
    ("dataset.messages.columns.stars.role", "number", ["dataset.forbidden"]),
    ("dataset.split.column", "user", ["'user_id'"]),
    ("training.split", "rand", ["random"]),
    ("training.max_equal_times", 1.5, [0, 1]),
    ("features.steps", [{"_target_": "os.system"}], ["os.system"]),
    ("dataset.steps", [{"_target_": "batch_nlp.steps.mask.Mask", "_after_": "cleantext"}], ["'clean_text'"]),
    ("inference.steps", [{"_target_": "os.system"}], ["os.system"]),
    ("inference.steps", ["predict"], ["_target_"]),
    ("training.steps", [{"_target_": "os.system"}], ["os.system"]),
    ("drift.rules", [], []),
    ("drift.rules", ["share", "share"], ["share"]),
    ("drift.rules", ["shares"], ["share", "interval"]),
    ("drift.response", "retrian", ["retrain", "alert"]),
    ("drift.significance", 0.0, [0, 1]),
    ("drift.change_significance", 1.0, [0, 1]),
    ("drift.min_auc", 0.4, ["0.5"]),
    ("drift.min_share_change", 1.0, [1]),
    ("drift.min_psi", -0.1, [0]),
    ("drift.min_new_labels", float("inf"), [0]),
    ("drift.window", 0, [1]),
    ("drift.sample", 99, [100]),
    ("drift.resamples", 98, [99]),
    ("notify.timeout", 0.0, [0]),
    ("notify.attempts", 0, [1]),
    ("notify.format", "teams", ["slack"]),
    ("simulation.scenario", "strom", ["stable"]),
]


@pytest.fixture(scope="module")
def composed() -> DictConfig:
    """Return the settings as the command line composes them; nobody changes them."""
    OmegaConf.register_new_resolver("project_root", lambda: str(ROOT), replace=True)
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return compose("config", overrides=["paths.data=/nowhere", "paths.models=/nowhere"])


def refused_by(composed: DictConfig, key: str, value: object) -> str:
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
    composed: DictConfig, key: str, value: object, words: list[object]
) -> None:
    """Guarantee 10."""
    assert_names(refused_by(composed, key, value), key, *words)


@pytest.mark.parametrize("key", NUMBERS)
def test_a_word_where_a_number_or_a_switch_belongs_is_refused_by_name(composed: DictConfig, key: str) -> None:
    """Guarantee 10."""
    message = refused_by(composed, key, "plenty")
    assert key in message
    assert "plenty" in message


@pytest.mark.parametrize("group", GROUPS)
def test_a_misspelt_setting_of_each_group_is_told_the_nearest_one(composed: DictConfig, group: str) -> None:
    """Guarantee 10."""
    name = next(iter(map(str, SCHEMA[group])))
    misspelt = f"{group}.{name[:-1]}{name[-1] * 2}"
    message = refused_by(composed, misspelt, 1)
    assert misspelt in message
    assert f"'{group}.{name}'" in message


def test_a_run_that_trains_cannot_borrow_a_champion(tmp_path: Path) -> None:
    """Guarantee 10."""
    result = Project(tmp_path).here("pipeline=training", "inference.champion_of=yelp")
    assert_ended(result, ExitCode.SETTINGS, "inference.champion_of=yelp")
