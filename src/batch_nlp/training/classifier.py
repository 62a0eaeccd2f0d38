"""The classifier that the settings name."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.validation import has_fit_parameter

from batch_nlp.config import Balance, Config
from batch_nlp.errors import SettingsError, did_you_mean

# Settings may name code only from these packages
ALLOWED_PACKAGES = ("sklearn", "xgboost")


def estimator_class(path: str) -> type[BaseEstimator]:
    """Return the classifier of an import path.

    Raises
    ------
    SettingsError
        If the package is not allowed, there is no such class, or it is no classifier.
    """
    module_name, _, name = path.rpartition(".")
    if module_name.partition(".")[0] not in ALLOWED_PACKAGES:
        raise SettingsError(f"model.estimator={path}: only classes of {' and '.join(ALLOWED_PACKAGES)} are allowed.")
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise SettingsError(f"model.estimator={path}: cannot be imported ({error}).") from error
    found = getattr(module, name, None)
    if not (inspect.isclass(found) and issubclass(found, BaseEstimator) and hasattr(found, "predict_proba")):
        classes = [key for key, value in vars(module).items() if inspect.isclass(value) and hasattr(value, "predict")]
        raise SettingsError(
            f"model.estimator={path}: no classifier with probabilities of that name in {module_name}. "
            f"{did_you_mean(name, classes)}"
        )
    return found


def build_classifier(config: Config) -> Any:
    """Return the unfitted classifier with the settings' parameters, the seed and the threads.

    Raises
    ------
    SettingsError
        If a parameter does not exist; the message names the nearest one.
    """
    found = estimator_class(config.model.estimator)
    estimator = found()
    if not is_classifier(estimator):
        raise SettingsError(f"model.estimator={config.model.estimator}: is not a classifier.")
    valid = estimator.get_params()
    for name in config.model.params:
        if name not in valid:
            raise SettingsError(
                f"model.params.{name}: {found.__name__} has no such parameter. {did_you_mean(name, valid)}"
            )
    defaults = {"random_state": config.seed, "n_jobs": config.engine.threads or -1}
    params = {name: value for name, value in defaults.items() if name in valid} | dict(config.model.params)
    if config.training.balance is Balance.weights and not has_fit_parameter(estimator, "sample_weight"):
        raise SettingsError(f"training.balance=weights: {found.__name__} cannot weigh rows. Set training.balance=none.")
    return estimator.set_params(**params)
