"""Check of ``model.params`` before any work."""

from __future__ import annotations

import re
import types
import typing
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone

from batch_nlp.errors import SettingsError

_ROWS, _COLUMNS, _CLASSES = 150, 40, 3


def check_parameters(estimator: BaseEstimator, given: Mapping[str, Any], reads_text: bool) -> None:
    """Refuse a parameter value that the classifier does not accept.

    Classifiers check their parameters when they are fitted, so the classifier is fitted on a few made-up rows, with one
    tree or one round. Classifiers that read texts are the project's own: their annotations say what they accept.

    Parameters
    ----------
    estimator : BaseEstimator
        With its parameters set; it stays unfitted.
    given : mapping
        ``model.params``.
    reads_text : bool
        Whether the classifier learns from texts instead of numbers.

    Raises
    ------
    SettingsError
        If the classifier refuses a value; the message names the parameter.
    """
    if reads_text:
        for name, expected in typing.get_type_hints(type(estimator).__init__).items():
            if name in given and not _is_a(given[name], expected):
                _refuse(estimator, name, given[name], f"need {_in_words(expected)}")
        return
    problem = _problem(estimator)
    if problem is None:
        return
    defaults = type(estimator)().get_params()
    for name, value in given.items():
        if _problem(clone(estimator).set_params(**{name: defaults[name]})) is None:
            _refuse(estimator, name, value, problem)
    _refuse(estimator, ", ".join(given), None, problem)


def _problem(estimator: Any) -> str | None:
    """Return why the classifier cannot be fitted; None if it can."""
    trial, parameters = clone(estimator), estimator.get_params()
    if "n_estimators" in parameters:
        trees = parameters["n_estimators"]
        if trees is not None and not (_is_a(trees, int) and trees >= 1):
            return "need a whole number of at least 1"
    for name in ("n_estimators", "max_iter", "n_jobs"):
        if _is_a(parameters.get(name), int):
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


def _is_a(value: object, expected: Any) -> bool:
    if isinstance(expected, types.UnionType):
        return any(_is_a(value, one) for one in typing.get_args(expected))
    if isinstance(value, bool) and expected is not bool:
        return False
    return isinstance(value, int | float if expected is float else expected)


def _in_words(expected: Any) -> str:
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", type(None): "null"}
    kinds = typing.get_args(expected) or (expected,)
    return " or ".join(words.get(kind, str(kind)) for kind in kinds)


def _refuse(estimator: BaseEstimator, names: str, value: object, problem: str) -> typing.NoReturn:
    key = f"model.params.{names}={value}" if value is not None else f"model.params ({names})"
    raise SettingsError(f"{key}: {type(estimator).__name__} does not accept this: {problem}")
