"""Guarantee 10 for every setting: what is misspelt, of another type or out of range is refused by its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from omegaconf import OmegaConf
from tests.naming import assert_names, refusal
from tests.settings import composed

from batch_nlp.config import TrainingConfig, parse, plain
from batch_nlp.config.load import typed_settings
from batch_nlp.errors import ExitCode, SettingsError
from batch_nlp.runner import check_settings

NAN, INFINITE = float("nan"), float("inf")
# setting, value, words that the message must have
OUT_OF_RANGE: list[tuple[str, object, list[str]]] = [
    ("log_level", "LOUD", ["INFO"]),
    ("dataset.name", "../mine", []),
    ("pipeline.name", "a b", []),
    ("training.metric", "accuracy", ["f1_weighted"]),
    ("training.holdout", 1.0, ["1"]),
    ("training.window", -1, ["0"]),
    ("training.window", 1.5, ["1.5"]),
    ("training.rows_in_memory", -1, ["0"]),
    ("training.decision.metric", "recall", ["f1_macro"]),
    ("training.decision.folds", 1, ["2"]),
    ("training.decision.abstain", {"coverage": 1.0}, ["training.decision.abstain.coverage=1.0", "1"]),
    ("training.decision.abstain", {"as": " "}, ["training.decision.abstain.as"]),
    ("training.decision.abstain", {"name": "none"}, ["training.decision.abstain.name"]),
    ("training.decision.abstain", 0.97, ["training.decision.abstain=0.97"]),
    ("dataset.label.out_of_scope", "spam", ["list"]),
    ("training.ngrams.folds", 1, ["2"]),
    ("training.ngrams.max_n", 0, ["1"]),
    ("training.ngrams.c", 0, ["0"]),
    ("training.min_class_messages", 1, ["training.ngrams.folds=5"]),
    ("training.keep_versions", 1, ["2"]),
    ("training.gate.bootstrap_samples", 99, ["100"]),
    ("training.gate.confidence", 1.0, ["1"]),
    ("training.thresholds.recall", 1.5, ["auto", "null"]),
    ("training.thresholds.f1_macro", "high", ["auto"]),
    ("training.inputs", ["embeding"], ["'embedding'"]),
    ("engine.batch_rows", 0, ["1"]),
    ("engine.commit_rows", 0, ["1"]),
    ("engine.threads", -1, ["0"]),
    ("engine.memory_limit", "foo", ["1GB"]),
    ("engine.memory_limit", "0GB", ["1GB"]),
    ("engine.memory_limit", "12", ["1GB"]),
    ("features.steps", [], ["1"]),
    ("training.steps", [], ["1"]),
    ("inference.steps", [], ["1"]),
    ("inference.min_age_seconds", -1.0, ["0"]),
    ("inference.min_age_seconds", INFINITE, []),
    ("report.snippets", -1, ["0"]),
    ("quarantine.max_share", 1.5, ["1"]),
    ("features.embedding.dims", 0, ["1"]),
    ("features.embedding.batch_size", 0, ["1"]),
    ("features.embedding.cache_mb", -1, ["0"]),
    ("features.embedding.backend", "statik", ["'static'"]),
    ("dataset.label.classes", "atuo", ["'auto'"]),
    ("dataset.label.rare", {"under": 20, "as": "othr"}, ["dataset.label.rare.as=othr", "'other'"]),
    ("dataset.label.rare", {"undr": 20, "as": "other"}, ["dataset.label.rare.undr"]),
    ("dataset.label.rare", {"under": 20}, ["dataset.label.rare.as"]),
    ("dataset.label.rare", {"under": 1, "as": "other"}, ["dataset.label.rare.under=1", "2"]),
    ("dataset.label.rare", {"under": "x", "as": "other"}, ["dataset.label.rare.under=x"]),
    ("dataset.messages.where", "inbound = ", ["TRY_CAST"]),
    ("dataset.messages.where", "true", ["TRY_CAST"]),
    ("dataset.messages.separator", "ab", ["';'", "tab"]),
    ("dataset.messages.separator", "\n", ["';'", "tab"]),
    ("dataset.messages.separator", r"\x22", ["';'", "tab"]),
    ("dataset.messages.encoding", "utf9", ["cp1252"]),
    ("dataset.messages.columns.text.role", "txt", ["text"]),
    ("dataset.messages.columns.user_id.of", "users", ["'user'"]),
    ("dataset.messages.columns.useful.of", "user", ["key"]),
    ("dataset.messages.columns.date.zone", "Rome", ["Europe/Rome"]),
    ("dataset.messages.columns.date.zone", "", ["Europe/Rome"]),
    ("dataset.messages.columns.date.zone", "../etc/passwd", ["Europe/Rome"]),
    ("dataset.messages.columns.date.zone", "CEST5", ["Europe/Rome"]),
    ("dataset.messages.columns.useful.zone", "Asia/Tokyo", ["time"]),
    ("dataset.messages.columns.useful.format", "%d", ["time"]),
    ("dataset.messages.columns.useful.format", ",", ["time"]),
    ("dataset.side_tables[0].columns.elite.of", "user", ["key"]),
    ("dataset.side_tables[0].columns.elite.zone", "CEST5", ["Europe/Rome"]),
    ("dataset.messages.columns.stars.role", "number", ["dataset.forbidden"]),
    ("dataset.split.column", "user", ["'user_id'"]),
    ("training.split", "rand", ["random"]),
    ("training.max_equal_times", 1.5, ["1"]),
    ("features.steps", [{"_target_": "os.system"}], ["os.system"]),
    ("dataset.steps", [{"_target_": "batch_nlp.steps.mask.Mask", "_after_": "cleantext"}], ["'clean_text'"]),
    ("inference.steps", [{"_target_": "os.system"}], ["os.system"]),
    ("inference.steps", ["predict"], ["inference.steps[0]=predict"]),
    ("inference.steps", [{"target": "predict"}], ["inference.steps[0]", "_target_"]),
    ("training.steps", [{"_target_": "os.system"}], ["os.system"]),
    ("drift.low", 0.9, ["drift.high=0.9"]),
    ("drift.low", -0.1, ["0"]),
    ("drift.low", NAN, []),
    ("drift.high", 1.1, ["1"]),
    ("drift.rules", [], []),
    ("drift.rules", ["share", "share"], ["share"]),
    ("drift.rules", ["shares"], ["'share'"]),
    ("drift.response", "retrian", ["'retrain'"]),
    ("drift.significance", 0.0, ["0"]),
    ("drift.change_significance", 1.0, ["1"]),
    ("drift.confidence", 1.0, ["1"]),
    ("drift.confidence", 0.0, ["0"]),
    ("drift.min_auc", 0.4, ["0.5"]),
    ("drift.min_messages", 0, ["1"]),
    ("drift.min_share_change", 1.0, ["1"]),
    ("drift.min_confidence_drop", -0.1, ["0"]),
    ("drift.min_psi", NAN, []),
    ("drift.min_new_labels", INFINITE, []),
    ("drift.window", 0, ["1"]),
    ("drift.sample", 99, ["100"]),
    ("drift.resamples", 98, ["99"]),
    *(
        ("drift.bands.rare", band, ["[low, high]"])
        for band in ([0.1], [0.2, 0.1], [0.1, 0.1], [-0.1, 0.5], [0.1, 1.5], [0.0, 0.1, 0.2])
    ),
    ("notify.timeout", 0.0, ["0"]),
    ("notify.attempts", 0, ["1"]),
    ("notify.format", "teams", ["slack"]),
    ("init.name", "1 mine", []),
    ("learning_curve.shares", [], ["learning_curve"]),
    ("learning_curve.shares", [0.5, 0.2], ["learning_curve"]),
    ("learning_curve.shares", [0.0, 1.0], ["learning_curve"]),
    ("learning_curve.shares", [0.5, 1.1], ["learning_curve"]),
    ("learning_curve.shares", [0.5, 0.5], ["learning_curve"]),
    ("retention.batches", 0, ["1"]),
    ("retention.days", 0, ["1"]),
    ("retention.samples", 0, ["1"]),
    ("retention.runs", 0, ["1"]),
    ("sample.messages", 0, ["1"]),
    ("sample.batch_messages", 0, ["1"]),
    ("sample.seed", -1, ["0"]),
    ("sample.vocabulary", 1.1, ["1"]),
    ("sample.duplicate_share", -0.1, ["0"]),
    ("sample.broken_share", 2.0, ["1"]),
    ("sample.length", 0.0, ["0"]),
    ("sample.length", INFINITE, []),
    ("sample.class_mix", [], ["1"]),
    ("sample.class_mix", [0.2, 0.2, 0.2], ["1"]),
    ("sample.class_mix", [0.5, 0.6, -0.1], ["sample.class_mix[2]=-0.1", "0"]),
    ("sample.class_mix", [0.5, 0.5], ["3"]),
    ("simulation.scenario", "strom", ["stable"]),
    ("simulation.days", 0, ["1"]),
    ("simulation.messages", 0, ["1"]),
    ("simulation.change_day", 0, ["1"]),
    ("simulation.label_delay", -1, ["0"]),
    ("simulation.policies", [], []),
    ("simulation.policies", ["rule", "rule"], ["rule"]),
    ("tracking.experiment", "a/b", []),
]
# Settings whose keys anyone may choose
FREE = (
    "allow",
    "dataset.label.classes",
    "dataset.messages.columns",
    "drift.bands",
    "model.params",
    "model.alternative.params",
)


def refused(changes: Mapping[str, object]) -> str:
    """Return what is said of the settings with these changed."""
    changed = composed("paths.data=/nowhere", "paths.models=/nowhere").copy()
    for key, value in changes.items():
        OmegaConf.update(changed, key, value, force_add=True)
    with pytest.raises(SettingsError) as wrong:
        check_settings(typed_settings(changed))
    assert wrong.value.exit_code is ExitCode.SETTINGS
    return str(wrong.value)


def nodes(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every setting and every group of them, by its whole name."""
    for name, value in node.items():
        if not (key := prefix + name).startswith(FREE):
            yield key, value
            if isinstance(value, dict):
                yield from nodes(value, f"{key}.")


SETTINGS = dict(nodes(plain(typed_settings(composed("paths.data=/nowhere", "paths.models=/nowhere")))))
NUMBERS = sorted(key for key, value in SETTINGS.items() if isinstance(value, int | float))
GROUPS = sorted(key for key, value in SETTINGS.items() if isinstance(value, dict))


def test_the_settings_as_they_are_raise_nothing() -> None:
    check_settings(typed_settings(composed("paths.data=/nowhere", "paths.models=/nowhere")))


@pytest.mark.parametrize(("key", "value", "words"), OUT_OF_RANGE, ids=str)
def test_a_value_out_of_range_is_refused_by_name(key: str, value: object, words: list[str]) -> None:
    """Guarantee 10."""
    message = refused({key: value})
    assert_names(message, key, *words)


@pytest.mark.parametrize("key", NUMBERS)
def test_a_word_where_a_number_or_a_switch_belongs_is_refused_by_name(key: str) -> None:
    """Guarantee 10."""
    assert f"{key}=plenty" in refused({key: "plenty"})


def test_parameters_of_the_alternative_are_checked_before_any_work() -> None:
    """Guarantee 10."""
    assert_names(refused({"model.alternative.params.c": "plenty"}), "model.alternative", "params.c", "plenty")
    assert_names(refused({"model.alternative.params.cc": 1}), "model.alternative", "params.cc", "c")


@pytest.mark.parametrize("group", GROUPS)
def test_a_misspelt_setting_of_each_group_is_told_the_nearest_one(group: str) -> None:
    """Guarantee 10."""
    key = next(key for key in SETTINGS if key.startswith(f"{group}."))
    message = refused({f"{key}{key[-1]}": 1})
    assert f"{key}{key[-1]}: " in message
    assert f"'{key}'" in message


def test_all_problems_are_in_one_message() -> None:
    message = refused(
        {"drift.window": 0, "training.metric": "f2", "dataset.messages.columns.text.rol": "text", "hold": 1}
    )
    for key in ("drift.window=0", "training.metric=f2", "dataset.messages.columns.text.rol:", "hold:"):
        assert f"\n- {key}" in message
    assert "'dataset.messages.columns.text.role'" in message


def test_a_setting_of_another_group_is_found_by_its_name() -> None:
    assert "'training.holdout'" in refused({"model.holdout": 0.2})


def test_an_unknown_name_is_told_at_most_three_others() -> None:
    said = refused({"zzz": 1})
    assert sum(name in said for name in plain(typed_settings(composed("paths.data=/a", "paths.models=/a")))) <= 3


def test_a_setting_without_a_value_is_named() -> None:
    assert "model.estimator" in refused({"model.estimator": "???"})


@pytest.mark.parametrize("backend", ["none", "minilm"])
def test_a_model_that_a_backend_does_not_read_is_refused(backend: str) -> None:
    message = refused(
        {"features.embedding.backend": backend, "features.embedding.model": "me/mine", "training.inputs": ["tabular"]}
    )
    assert "features.embedding.model=me/mine" in message
    assert f"backend={backend}" in message


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"features.embedding.backend": "none", "training.inputs": ["embedding"]}, "training.inputs=[embedding]"),
        ({"dataset.label.column": None, "dataset.label.classes": "auto"}, "dataset.label.column"),
        ({"inference.champion_of": "yelp"}, "inference.champion_of=yelp"),
        ({"pipeline.stages": ["explain"]}, "message_id"),
        ({"pipeline.stages": ["init"]}, "init.name"),
        ({"pipeline.stages": ["init"], "init.name": "mine"}, "init.file"),
    ],
    ids=str,
)
def test_settings_that_do_not_fit_together_are_refused(changes: dict[str, object], word: str) -> None:
    """Guarantee 10."""
    assert word in refused(changes)


def test_a_section_on_disk_is_checked_like_any_other() -> None:
    with refusal(SettingsError, "training.reducer.constnt", "'training.reducer.constant'"):
        parse(TrainingConfig, {"reducer": {"constnt": 1}}, "training")
