"""Steps from settings: exact names, parameters that a step takes, and nothing that belongs to a run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ROOT
from tests.naming import refusal
from tests.projects import Project

from batch_nlp.config import Config
from batch_nlp.config.builder import build_steps, check_steps, step_name
from batch_nlp.config.targets import FEATURE_STEPS, STEP_TARGETS
from batch_nlp.errors import SettingsError
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.feature.pipeline import feature_fields
from batch_nlp.feature.run import run_feature_pipeline
from batch_nlp.steps.clean_text import CleanText
from batch_nlp.steps.keep import Keep
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.layers import Layers

CLEAN, KEEP = "batch_nlp.steps.clean_text.CleanText", "batch_nlp.steps.keep.Keep"
OWN = "tests.own_steps.Shouting"


def test_a_step_is_made_of_its_parameters_and_of_what_the_run_binds() -> None:
    kept: list[str] = []

    def keep(layer: str, _: Any) -> None:
        kept.append(layer)

    steps = build_steps(
        [
            {"_target_": CLEAN, "max_chars": 7},
            {"_target_": KEEP, "_name_": "keep_mine", "_after_": "x", "layer": "primary"},
        ],
        {"keep": keep, "ledger": object()},
        "features.steps",
    )
    assert [name for name, _ in steps] == ["clean_text", "keep_mine"]
    (_, clean), (_, kept_step) = steps
    assert isinstance(clean, CleanText)
    assert clean.max_chars == 7
    assert isinstance(kept_step, Keep)
    assert (kept_step.layer, kept_step.keep) == ("primary", keep)


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ({"_target_": CLEAN}, "clean_text"),
        ({"_target_": "a.b.TextCountsABC"}, "text_counts_abc"),
        ({"_target_": "a.b.encoding"}, "encoding"),
        ({"_target_": CLEAN, "_name_": "mine"}, "mine"),
    ],
)
def test_a_step_is_called_as_its_class_or_as_the_settings_say(step: dict[str, Any], name: str) -> None:
    assert step_name(step) == name


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (
            [{"_target_": CLEAN}, {"_target_": "os.system"}],
            ["features.steps[1]._target_=os.system"],
        ),
        ([{"_target_": CLEAN[:-1]}], [f"'{CLEAN}'"]),
        # no prefix: a name goes on through what a module imports
        ([{"_target_": "batch_nlp.steps.clean_text.html.unescape"}], ["batch_nlp.steps.clean_text.html.unescape"]),
        ([{"_target_": "sklearn.ensemble.RandomForestClassifier"}], ["RandomForestClassifier"]),
        ([{"_target_": OWN}], [f"'+allow={{{OWN}: 1}}'"]),
        ([{"_target_": CLEAN}, {"_target_": CLEAN}], ["clean_text", "_name_"]),
        (
            [{"_target_": CLEAN}, {"_target_": KEEP, "_name_": "clean_text"}],
            ["clean_text", "_name_"],
        ),
    ],
)
def test_a_list_that_cannot_be_built_is_refused_by_name(steps: list[Any], words: list[str]) -> None:
    """Guarantees 10 and 21."""
    with refusal(SettingsError, *words):
        check_steps(steps, "features.steps")


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"_target_": CLEAN, "max_char": 7}, ["mine.clean_text.max_char", "'max_chars'"]),
        ({"_target_": KEEP, "layer": "primary", "keep": "x"}, ["mine.keep.keep"]),
        ({"_target_": CLEAN, "ledger": 3}, ["mine.clean_text.ledger"]),
        ({"_target_": KEEP}, ["mine.keep", "layer"]),
        ({"_target_": "tests.own_steps.Gone"}, ["mine.gone", "tests.own_steps.Gone"]),
        ({"_target_": "no_such_package.Step"}, ["mine.step", "no_such_package"]),
        ({"_target_": "Step"}, ["mine.step", "Step"]),
        ({"_target_": "tests.own_steps.function"}, ["tests.own_steps.function", "transform"]),
        ({"_target_": "tests.own_steps.FieldRole"}, ["tests.own_steps.FieldRole", "transform"]),
    ],
)
def test_a_parameter_that_a_step_does_not_take_is_refused_by_name(step: dict[str, Any], words: list[str]) -> None:
    """Guarantee 10."""
    with refusal(SettingsError, *words):
        build_steps([step], {"keep": None, "ledger": None}, "mine")


def test_every_name_on_the_list_can_be_imported() -> None:
    for target in STEP_TARGETS:
        module, _, name = target.rpartition(".")
        assert hasattr(__import__(module, fromlist=[name]), name), target
    # one that is counted as a feature step makes messages of messages
    for target in FEATURE_STEPS:
        module, _, name = target.rpartition(".")
        assert hasattr(getattr(__import__(module, fromlist=[name]), name), "transform"), target


def own(make_config: Callable[..., Config], folder: Path, version: int = 1, **parameters: float) -> Config:
    given = "".join(f", {name}: {value}" for name, value in parameters.items())
    return make_config(
        folder,
        "features=none",
        "training.inputs=[tabular]",
        f"+allow={{{OWN}: {version}}}",
        f"dataset.steps=[{{_target_: {OWN}, _after_: clean_text{given}}}]",
    )


def test_a_step_of_ones_own_runs_where_it_is_allowed(tmp_path: Path, make_config: Callable[..., Config]) -> None:
    config = own(make_config, tmp_path)
    definition = FeatureDefinition.from_config(config)
    assert "shouting" in feature_fields(definition).categories
    raw = Path(config.dataset.raw_dir)
    raw.mkdir(parents=True)
    rows = [{"review_id": name, "text": name * 3, "date": "2020-01-01"} for name in ("LOUD", "quiet")]
    (raw / "review.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    layers = Layers(Path(config.paths.data), "sample")
    store = FeatureStore(layers.feature_store, config.engine)
    run_feature_pipeline(config, layers, store, "run-1", datetime(2026, 1, 1, tzinfo=UTC))
    found = store.features_of(definition.version, ["LOUD", "quiet"]).set_index("message_id")
    assert found["shouting"].to_dict() == {"LOUD": "yes", "quiet": "no"}


def test_the_version_of_the_features_changes_with_the_number_of_ones_own_step(
    tmp_path: Path, make_config: Callable[..., Config]
) -> None:
    found = [
        FeatureDefinition.from_config(config).version
        for config in (
            own(make_config, tmp_path),
            own(make_config, tmp_path, 2),
            own(make_config, tmp_path, share=0.25),
            own(make_config, tmp_path),
        )
    ]
    assert len(set(found)) == 3
    assert found[0] == found[-1]


def test_what_is_allowed_and_not_used_changes_no_version(tmp_path: Path, make_config: Callable[..., Config]) -> None:
    plain = FeatureDefinition.from_config(make_config(tmp_path))
    allowed = FeatureDefinition.from_config(make_config(tmp_path, f"+allow={{{OWN}: 1}}"))
    assert allowed == plain


@pytest.mark.parametrize("allowed", [[], ["+allow={tests.own_steps.Other: 1}"]])
def test_a_step_that_is_not_allowed_is_a_settings_error_before_any_work(tmp_path: Path, allowed: list[str]) -> None:
    """Guarantees 10 and 21."""
    project = Project(tmp_path)
    result = project.here("pipeline=feature", f"dataset.steps=[{{_target_: {OWN}}}]", *allowed)
    assert result.returncode == 2, result.stderr
    assert OWN in result.stderr
    assert not list(project.data.rglob("*.parquet"))
    assert os.fspath(ROOT) not in result.stdout
