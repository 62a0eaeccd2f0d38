"""From what Hydra composed to settings that can be trusted, before any work is done."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter, le
from typing import Any

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, MissingMandatoryValue, OmegaConfBaseException

from batch_nlp.config import Config, EmbeddingBackend, Input, Stage, parse
from batch_nlp.errors import SettingsError, did_you_mean

METRICS = ("f1_weighted", "f1_macro")
LOG_LEVELS = ("TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL")


def _at_least(least: float) -> Callable[[Any], bool]:
    return partial(le, least)


def _is_name(value: str) -> bool:
    """Say whether folders and files can carry a name."""
    return re.fullmatch(r"\w[\w.-]*", value) is not None


def _is_share(value: float) -> bool:
    return 0 <= value <= 1


def _is_inside(value: float) -> bool:
    return 0 < value < 1


_NAME = (_is_name, "a name of letters, digits and any of ._- inside")
# Setting -> whether a value is sound, and what it needs to be
_RANGES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "dataset.name": _NAME,
    "pipeline.name": _NAME,
    "log_level": (LOG_LEVELS.__contains__, f"one of {', '.join(LOG_LEVELS)}"),
    "training.holdout": (_is_inside, "a value between 0 and 1"),
    "training.rows_in_memory": (_at_least(0), "0 (always on disk) or more"),
    "training.metric": (METRICS.__contains__, f"one of {', '.join(METRICS)}"),
    "training.window": (_at_least(0), "0 (the newest) or more"),
    "training.decision.metric": ((None, *METRICS).__contains__, f"null or one of {', '.join(METRICS)}"),
    "training.decision.folds": (_at_least(2), "at least 2"),
    "training.ngrams.folds": (_at_least(2), "at least 2"),
    "training.ngrams.max_n": (_at_least(1), "at least 1"),
    "training.keep_versions": (_at_least(2), "at least 2, to roll back"),
    "training.gate.bootstrap_samples": (_at_least(100), "at least 100"),
    "training.gate.confidence": (_is_inside, "a value between 0 and 1"),
    "training.max_equal_times": (_is_share, "a share between 0 and 1"),
    "engine.batch_rows": (_at_least(1), "at least 1"),
    "engine.commit_rows": (_at_least(1), "at least 1"),
    "report.snippets": (_at_least(0), "0 or more"),
    "engine.threads": (_at_least(0), "0 (all cores) or more"),
    "inference.min_age_seconds": (lambda value: 0 <= value < math.inf, "a number of seconds, 0 or more"),
    "quarantine.max_share": (_is_share, "a share between 0 and 1"),
    "features.embedding.dims": (_at_least(1), "at least 1"),
}


def typed_settings(composed: DictConfig) -> Config:
    """Return the composed settings as the typed, frozen schema.

    The values go into a fresh schema: only that refuses a key that came in with ``+`` or from a YAML file.

    Raises
    ------
    SettingsError
        If a key is unknown, or a value is missing, of the wrong type or out of its range.
    """
    try:
        settings: Config = parse(Config, composed)
    except OmegaConfBaseException as error:
        raise settings_error(error) from error
    _check_values(settings)
    return settings


def settings_error(error: Exception) -> SettingsError:
    """Return what an error of Hydra or OmegaConf means to the user, with the nearest valid name."""
    cause = error.__cause__ if isinstance(error, HydraException) and error.__cause__ else error
    if isinstance(error, MissingConfigException) and error.options:
        group, _, name = (error.missing_cfg_file or "").rpartition("/")
        return SettingsError(
            f"{group}={name}: there is no such choice. {did_you_mean(name, error.options)} "
            f"Choices: {', '.join(error.options)}."
        )
    if isinstance(cause, MissingMandatoryValue):
        return SettingsError(f"{cause.full_key}: has no value. Set it on the command line or in conf/.")
    if isinstance(cause, OmegaConfBaseException):
        key = str(cause.full_key or "")
        if isinstance(cause, ConfigKeyError | AttributeError) and key:
            return SettingsError(f"{key}: there is no such setting. {_nearest_key(key)}")
        reason = str(cause.msg or cause).splitlines()[0]
        return SettingsError(f"{key}: {reason}" if key else reason)
    if isinstance(error, OverrideParseException):
        hint = f" Say pipeline={error.override}." if error.override in {"fti", *Stage.__members__} else ""
        return SettingsError(f"{error.override}: not a setting that can be read ({str(error).splitlines()[0]}).{hint}")
    return SettingsError(str(error).strip())


def _keys(node: DictConfig, prefix: str = "") -> Iterator[str]:
    for name in map(str, node):
        yield prefix + name
        if not OmegaConf.is_missing(node, name) and isinstance(node[name], DictConfig):
            yield from _keys(node[name], f"{prefix}{name}.")


def _nearest_key(key: str) -> str:
    valid = list(_keys(OmegaConf.structured(Config)))
    parent, _, name = key.rpartition(".")
    siblings = [found for found in valid if found.rpartition(".")[0] == parent]
    hint = did_you_mean(key, siblings or valid)
    if hint.startswith("Valid"):  # none is near among its neighbours; perhaps it belongs elsewhere
        elsewhere = [found for found in valid if found.rpartition(".")[2] == name]
        hint = f"Did you mean {elsewhere[0]!r}?" if elsewhere else hint
    return hint


def _check_values(settings: Config) -> None:
    for key, (sound, what) in _RANGES.items():
        value = attrgetter(key)(settings)
        _need(sound(value), key, value, what)
    training = settings.training
    for name, folds in (("ngrams", training.ngrams.folds), ("decision", training.decision.folds)):
        what = f"at least training.{name}.folds={folds}, a message of each class for each fold"
        _need(training.min_class_messages >= folds, "training.min_class_messages", training.min_class_messages, what)
    for name, bound in vars(training.thresholds).items():
        known = bound in ("auto", None) or (isinstance(bound, int | float) and _is_share(bound))
        _need(known, f"training.thresholds.{name}", bound, "auto, null, or a number between 0 and 1")
    _need(
        settings.features.embedding.backend is not EmbeddingBackend.none or Input.embedding not in training.inputs,
        "training.inputs",
        f"[{','.join(name.value for name in training.inputs)}]",
        "inputs without embedding where features.embedding.backend=none, such as training.inputs=[tabular,ngrams], "
        "or another backend (features=default)",
    )


def _need(condition: bool, key: str, value: object, what: str) -> None:
    if not condition:
        raise SettingsError(f"{key}={value}: need {what}.")
