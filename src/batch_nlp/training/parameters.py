"""Check of ``model.params`` before any work."""

from __future__ import annotations

import re
import typing
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import ConfigDict, ValidationError, create_model
from sklearn.base import BaseEstimator, clone

from batch_nlp.config.refusals import validation_error
from batch_nlp.errors import SettingsError

_ROWS, _COLUMNS, _CLASSES = 150, 40, 3


def check_values(estimator: type[BaseEstimator], given: Mapping[str, Any]) -> None:
    """Refuse values that the annotations of one of the project's own classifiers do not allow."""
    hints = typing.get_type_hints(estimator.__init__, include_extras=True)
    fields: dict[str, Any] = {name: (hints[name], ...) for name in given}
    schema = create_model(estimator.__name__, __config__=ConfigDict(strict=True, allow_inf_nan=False), **fields)
    try:
        schema(**given)
    except ValidationError as error:
        raise validation_error(error, schema, "model.params") from None


def check_parameters(estimator: BaseEstimator, given: Mapping[str, Any], reads_text: bool) -> None:
    """Refuse a value in ``model.params`` that the classifier does not accept, by the name of the parameter.

    Classifiers check their parameters when they are fitted, so a clone is fitted on a few made-up rows, with one tree
    or one round. Classifiers that read texts are the project's own: their annotations say what they accept.
    """
    if reads_text:
        check_values(type(estimator), given)
        return
    problem = _problem(estimator)
    if problem is None:
        return
    kind = type(estimator)
    defaults = kind().get_params()
    for name, value in given.items():
        if _problem(clone(estimator).set_params(**{name: defaults[name]})) is None:
            raise SettingsError(f"model.params.{name}={value}: {kind.__name__} does not accept this: {problem}")
    raise SettingsError(f"model.params ({', '.join(given)}): {kind.__name__} does not accept this: {problem}")


def _problem(estimator: Any) -> str | None:
    """Return why the classifier cannot be fitted; None if it can."""
    trial, parameters = clone(estimator), estimator.get_params()
    trees = parameters.get("n_estimators")
    if trees is not None and not (type(trees) is int and trees >= 1):
        return "need a whole number of at least 1"
    for name in ("n_estimators", "max_iter", "n_jobs"):
        if type(parameters.get(name)) is int:
            trial.set_params(**{name: 1})
    rows = np.random.default_rng(0).normal(size=(_ROWS, _COLUMNS))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial.fit(rows, np.arange(_ROWS) % _CLASSES)
    except (ValueError, TypeError, AttributeError) as error:  # XGBoost's own errors are ValueErrors too
        # some of XGBoost's messages begin with a line of its source code and end with a stack trace
        words = " ".join(str(error).partition("Stack trace:")[0].split())
        return re.sub(r"^\[[\d:]+\] \S+: ", "", words)[:300]
    return None
