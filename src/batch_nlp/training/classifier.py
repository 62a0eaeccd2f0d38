"""The classifier that the settings name."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from batch_nlp.config import Balance, Calibration, Config
from batch_nlp.config.targets import CLASSIFIERS
from batch_nlp.dataset.abstain import coverage_of
from batch_nlp.errors import SettingsError, did_you_mean
from batch_nlp.training.abstention import AbstainingClassifier
from batch_nlp.training.parameters import check_parameters
from batch_nlp.training.tuned_classifier import TunedClassifier


def estimator_class(path: str) -> type[BaseEstimator]:
    """Return the classifier of an import path.

    Raises
    ------
    SettingsError
        If the path is not on the list, or cannot be imported.
    """
    if path not in CLASSIFIERS:
        raise SettingsError(
            f"model.estimator={path}: not on the list of classifiers. {did_you_mean(path, CLASSIFIERS)}"
        )
    module, _, name = path.rpartition(".")
    try:
        found: type[BaseEstimator] = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"model.estimator={path}: cannot be imported ({error}).") from error
    return found


def training(classifier: TunedClassifier) -> TunedClassifier:
    """Return the step `training`: the classifier of ``model``, balanced, calibrated and tuned as the settings say."""
    return classifier


def build_classifier(config: Config, checkpoints: Path | None = None) -> TunedClassifier:
    """Return the unfitted classifier with the parameters, seed and threads of the settings.

    Parameters
    ----------
    config : Config
        ``model`` names the classifier; ``training.balance`` and ``training.decision`` wrap it.
    checkpoints : Path, optional
        Where a resumable classifier saves its progress.

    Raises
    ------
    SettingsError
        If a parameter does not exist (the message suggests the nearest name) or has an invalid value, or if the
        classifier does not support the settings.
    """
    estimator = _build_estimator(config, checkpoints)
    training = config.training
    _check_choices(config, estimator)
    built = TunedClassifier(
        estimator,
        balance=training.balance.value,
        calibration=training.decision.calibration.value,
        metric=training.decision.metric,
        folds=training.decision.folds,
        random_state=config.seed,
    )
    if training.decision.abstain is None:
        return built
    coverage = coverage_of(training.decision, config.dataset.label)
    return AbstainingClassifier(**built.get_params(deep=False), coverage=coverage)


def _build_estimator(config: Config, checkpoints: Path | None) -> Any:
    found = estimator_class(config.model.estimator)
    estimator = found()
    valid = estimator.get_params()
    for name in config.model.params:
        if name not in valid:
            raise SettingsError(
                f"model.params.{name}: {found.__name__} has no such parameter. {did_you_mean(name, valid)}"
            )
    threads = config.engine.threads
    defaults: dict[str, Any] = {
        "random_state": config.seed,
        "n_jobs": threads or -1,
        "threads": threads,
        "checkpoint_dir": None if checkpoints is None else str(checkpoints),
    }
    if found is LogisticRegression:  # scikit-learn 1.8 keeps the parameter but warns when it is used
        del defaults["n_jobs"]
    params = {name: value for name, value in defaults.items() if name in valid} | dict(config.model.params)
    estimator.set_params(**params)
    check_parameters(estimator, config.model.params, bool(get_tags(estimator).input_tags.string))
    return estimator


def _check_choices(config: Config, estimator: Any) -> None:
    training, name = config.training, type(estimator).__name__
    reads_text = bool(get_tags(estimator).input_tags.string)
    if training.balance is Balance.weights and not has_fit_parameter(estimator, "sample_weight"):
        raise SettingsError(f"training.balance=weights: {name} cannot weigh rows. Set training.balance=none.")
    if training.balance is Balance.smote and reads_text:
        raise SettingsError(
            f"training.balance=smote: {name} reads texts, which SMOTE cannot synthesise. Set training.balance=weights."
        )
    if training.reducer.enabled and reads_text:
        raise SettingsError(f"training.reducer.enabled=true: {name} reads texts. Set training.reducer.enabled=false.")
    if not config.inputs and not reads_text:
        key = "model.inputs" if training.inputs is None else "training.inputs"
        raise SettingsError(f"{key}: nothing to learn from. Set training.inputs to some of tabular, embedding, ngrams.")
    if training.decision.calibration is Calibration.none and not hasattr(estimator, "predict_proba"):
        raise SettingsError(
            f"training.decision.calibration=none: {name} has no probabilities of its own. Set "
            "training.decision.calibration=logistic."
        )
