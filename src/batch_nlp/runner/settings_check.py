"""Checks of the settings that only the pipelines can make, before any work begins."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from batch_nlp.config import Config, Stage, plain
from batch_nlp.config.builder import check_steps
from batch_nlp.dataset.abstain import abstains_as, check_abstention
from batch_nlp.dataset.classes import class_map
from batch_nlp.dataset.label_order import check_order
from batch_nlp.dataset.labels import check_label
from batch_nlp.dataset.message_columns import check_columns
from batch_nlp.dataset.split import split_of
from batch_nlp.errors import DataError, SettingsError
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.monitoring.band import check_drift
from batch_nlp.notify.notifier import check_notify
from batch_nlp.runner.recipe import as_chosen
from batch_nlp.storage.outcomes import outcomes
from batch_nlp.storage.registry import Registry
from batch_nlp.tracking.address import check_tracking

# Stages that train, or may: inference does when its batch has drifted
_TRAIN = {Stage.training, Stage.inference, Stage.learning_curve, Stage.simulate}


def check_settings(config: Config) -> None:
    """Raise a `SettingsError`, before any work, for wrong settings that only the pipelines can judge."""
    _check_pipeline(config)
    check_label(config.dataset.label)
    check_order(config.dataset.label)
    check_columns(config.dataset)
    if config.dataset.messages.where is not None:
        from batch_nlp.dataset.where import Where

        Where(config.dataset.messages.where)
    split_of(config)
    FeatureDefinition.from_config(config)
    check_steps(config.training.steps, "training.steps", None)
    check_steps(config.inference.steps, "inference.steps", config.allow)
    if config.inference.output.keep:
        from batch_nlp.inference.kept_columns import check_kept_names

        check_kept_names(config.inference.output.keep)
    # without a rule for rare classes, a model has all the listed classes
    listed = class_map(config.dataset.label) if config.dataset.label.rare is None else None
    decision = config.training.decision
    check_abstention(decision, config.dataset.label, listed.classes if listed else [])
    check_drift(config.drift, outcomes(listed.classes, abstains_as(decision)) if listed else None)
    if config.dataset.generate:
        from batch_nlp.sample import check_sample

        check_sample(config.sample, config.dataset.sample)
    check_tracking(config)
    stages = set(config.pipeline.stages)
    if stages != {Stage.status}:
        check_notify(config.notify)
    if _TRAIN & stages and not (_TRAIN & stages == {Stage.inference} and _champion_has_its_classifier(config)):
        from batch_nlp.training.model_choice import has_choice

        _check_classifier(config)
        if config.model.alternative is not None and has_choice(config):
            try:
                _check_classifier(replace(config, model=config.model.alternative))
            except SettingsError as error:
                raise SettingsError(f"model.alternative cannot be used: {error}") from None
    if Stage.init in stages:
        from batch_nlp.runner.init import check_init

        check_init(config)
    if Stage.simulate in stages:
        from batch_nlp.simulation.scenarios import check_simulation

        check_simulation(config)


def _check_pipeline(config: Config) -> None:
    """Raise a `SettingsError` if the settings lack what a stage of the pipeline needs."""
    stages, name = set(config.pipeline.stages), config.pipeline.name
    if {Stage.training, Stage.learning_curve} & stages and config.dataset.label.column is None:
        raise SettingsError(
            f"dataset.label.column=null: pipeline={name} needs labels to learn from, and dataset={config.dataset.name} "
            "has none. Run pipeline=inference with the champion of another dataset instead: inference.champion_of=NAME."
        )
    if Stage.training in stages and config.inference.champion_of is not None:
        raise SettingsError(
            f"inference.champion_of={config.inference.champion_of}: a run that trains scores with its own champion. "
            "Use pipeline=feature or pipeline=inference."
        )
    if Stage.explain in stages and not config.message_id:
        raise SettingsError(
            "message_id: pipeline=explain needs the id of a message, such as message_id=abc-1. Quote an id with other "
            "characters, or one that looks like a number: 'message_id=\"a b\"'."
        )
    if Stage.init in stages and not (config.init.name and config.init.file):
        missing = "file" if config.init.name else "name"
        raise SettingsError(
            f"init.{missing}: pipeline=init needs a name and a file, such as init.name=feedback init.file=feedback.csv."
        )


def _check_classifier(config: Config) -> None:
    from batch_nlp.training.classifier import build_classifier

    classifier = build_classifier(config).estimator
    if hasattr(classifier, "check_installed"):
        classifier.check_installed()


def _champion_has_its_classifier(config: Config) -> bool:
    """Return whether the champion was trained with this classifier and these libraries, which then need no trial.

    A trial fits the classifier on made-up rows, for which scikit-learn and the classifier's library must be imported.
    """
    try:
        champion = Registry(Path(config.paths.models)).champion_manifest()
    except DataError:  # reported where the champion is needed
        return False
    if champion is not None:
        config = as_chosen(config, champion)
    package = config.model.estimator.partition(".")[0]
    names = {"sklearn": "scikit-learn", "xgboost": "xgboost"}
    if champion is None or package not in names:  # our own classifiers check what else they need
        return False
    asked = {"seed": config.seed, "model": plain(config.model), "training": plain(config.training)}
    trained_with = champion.get("packages", {})
    same_code = all(trained_with.get(name) == version(name) for name in ("scikit-learn", names[package]))
    return same_code and bool(champion.get("settings") == asked)
