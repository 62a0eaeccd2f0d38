"""Build steps from settings: the one place where a name in a file becomes an object.

A step is ``{_target_: import path, parameter: value, ...}``. What belongs to a run (ledger, known ids, side tables,
caches) is bound by the driver to the parameters with those names, and never comes from a file.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Mapping, Sequence
from importlib import import_module
from typing import Any

from batch_nlp.config.targets import STEP_TARGETS
from batch_nlp.errors import SettingsError, did_you_mean

# `_name_` renames a step; `_after_` names the step after which a dataset's step is placed
TARGET, NAME, AFTER = "_target_", "_name_", "_after_"
_OWN_KEYS = frozenset({TARGET, NAME, AFTER})


def step_name(step: Mapping[str, Any]) -> str:
    """Return the name of a step in its pipeline.

    Examples
    --------
    >>> step_name({"_target_": "batch_nlp.steps.clean_text.CleanText"})
    'clean_text'
    """
    last = str(step[TARGET]).rpartition(".")[2]
    return str(step.get(NAME) or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", last).lower())


def check_steps(steps: Sequence[Any], key: str, allow: Collection[str] | None = ()) -> None:
    """Raise a `SettingsError` if a list of steps names code that is not allowed, or gives two steps one name.

    `key` is their place in the settings. `allow` are the import paths that the user allows in addition to those in
    `targets`; None for steps that a model keeps, whose file may contain no others.
    """
    for position, step in enumerate(steps):
        if step[TARGET] not in STEP_TARGETS and step[TARGET] not in (allow or ()):
            own = "" if allow is None else f" A step of your own is allowed by '+allow={{{step[TARGET]}: 1}}'."
            raise SettingsError(
                f"{key}[{position}]._target_={step[TARGET]}: settings may not name code that is not on the project's "
                f"list. {did_you_mean(str(step[TARGET]), STEP_TARGETS)}{own}"
            )
    names = [step_name(step) for step in steps]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SettingsError(f"{key}: more than one step is called {', '.join(twice)}. Give one of them a _name_.")


def build_steps(steps: Sequence[Mapping[str, Any]], bound: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    """Return the steps of a pipeline, with their names.

    Each step gets those parameters of `bound`, which belong to the run, that it has. Raises a `SettingsError` if a step
    cannot be imported, or does not take its parameters.
    """
    return [(step_name(step), _build(step, bound, f"{key}.{step_name(step)}")) for step in steps]


def _build(step: Mapping[str, Any], bound: Mapping[str, Any], key: str) -> Any:
    target = _imported(str(step[TARGET]), key)
    takes = inspect.signature(target).parameters
    given = {name: value for name, value in step.items() if name not in _OWN_KEYS}
    for name in given:
        if name in bound:
            raise SettingsError(f"{key}.{name}: belongs to the run, and cannot be set. Remove it.")
        if name not in takes:
            valid = [known for known in takes if known not in bound]
            raise SettingsError(f"{key}.{name}: {step[TARGET]} has no such parameter. {did_you_mean(name, valid)}")
    try:
        return target(**given, **{name: value for name, value in bound.items() if name in takes})
    except TypeError as error:
        raise SettingsError(f"{key}: {step[TARGET]} cannot be made with these parameters ({error}).") from error


def _imported(path: str, key: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingsError(f"{key}: {path} cannot be imported ({error}).") from error
    if path not in STEP_TARGETS and not (inspect.isclass(found) and hasattr(found, "transform")):
        raise SettingsError(f"{key}: {path} is not a class with a method transform.")
    return found
