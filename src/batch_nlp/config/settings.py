"""From what Hydra composed to settings that can be trusted, before any work is done."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, MissingMandatoryValue, OmegaConfBaseException

from batch_nlp.config import Config, EmbeddingBackend, Input, parse
from batch_nlp.errors import SettingsError, did_you_mean

METRICS = ("f1_weighted", "f1_macro")
LOG_LEVELS = ("TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL")


def typed_settings(composed: DictConfig) -> Config:
    """Return the composed settings as the typed, frozen schema.

    The values go into a fresh schema: only that refuses a key that came in with ``+`` or from a YAML file.

    Parameters
    ----------
    composed : DictConfig
        What Hydra composed from files and command line.

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
        name = (error.missing_cfg_file or "").rpartition("/")[2]
        group = (error.missing_cfg_file or "").rpartition("/")[0]
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
        return SettingsError(f"{error.override}: not a setting that can be read ({str(error).splitlines()[0]}).")
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
    def need(condition: bool, key: str, value: object, what: str) -> None:
        if not condition:
            raise SettingsError(f"{key}={value}: need {what}.")

    training, engine = settings.training, settings.engine
    for key, name in (("dataset.name", settings.dataset.name), ("pipeline.name", settings.pipeline.name)):
        # folders and files carry it
        need(re.fullmatch(r"\w[\w.-]*", name) is not None, key, name, "a name of letters, digits and any of ._- inside")
    need(settings.log_level in LOG_LEVELS, "log_level", settings.log_level, f"one of {', '.join(LOG_LEVELS)}")
    need(0 < training.holdout < 1, "training.holdout", training.holdout, "a value between 0 and 1")
    need(training.rows_in_memory >= 0, "training.rows_in_memory", training.rows_in_memory, "0 (always on disk) or more")
    need(training.metric in METRICS, "training.metric", training.metric, f"one of {', '.join(METRICS)}")
    need(training.window >= 0, "training.window", training.window, "0 (the newest) or more")
    need(
        training.decision.metric in (None, *METRICS),
        "training.decision.metric",
        training.decision.metric,
        f"null or one of {', '.join(METRICS)}",
    )
    need(training.decision.folds >= 2, "training.decision.folds", training.decision.folds, "at least 2")
    need(training.ngrams.folds >= 2, "training.ngrams.folds", training.ngrams.folds, "at least 2")
    need(training.ngrams.max_n >= 1, "training.ngrams.max_n", training.ngrams.max_n, "at least 1")
    for key, folds in (("ngrams", training.ngrams.folds), ("decision", training.decision.folds)):
        need(
            training.min_class_messages >= folds,
            "training.min_class_messages",
            training.min_class_messages,
            f"at least training.{key}.folds={folds}, a message of each class for each fold",
        )
    need(training.keep_versions >= 2, "training.keep_versions", training.keep_versions, "at least 2, to roll back")
    for name, bound in vars(training.thresholds).items():
        sound = bound in ("auto", None) or (isinstance(bound, int | float) and 0 <= bound <= 1)
        need(sound, f"training.thresholds.{name}", bound, "auto, null, or a number between 0 and 1")
    gate = training.gate
    need(gate.bootstrap_samples >= 100, "training.gate.bootstrap_samples", gate.bootstrap_samples, "at least 100")
    need(0 < gate.confidence < 1, "training.gate.confidence", gate.confidence, "a value between 0 and 1")
    need(engine.batch_rows >= 1, "engine.batch_rows", engine.batch_rows, "at least 1")
    need(engine.commit_rows >= 1, "engine.commit_rows", engine.commit_rows, "at least 1")
    need(engine.threads >= 0, "engine.threads", engine.threads, "0 (all cores) or more")
    age = settings.inference.min_age_seconds
    need(0 <= age < math.inf, "inference.min_age_seconds", age, "a number of seconds, 0 or more")
    share = settings.quarantine.max_share
    need(0 <= share <= 1, "quarantine.max_share", share, "a share between 0 and 1")
    need(
        settings.features.embedding.dims >= 1, "features.embedding.dims", settings.features.embedding.dims, "at least 1"
    )
    inputs = [name.value for name in training.inputs]
    need(
        settings.features.embedding.backend is not EmbeddingBackend.none or Input.embedding not in training.inputs,
        "training.inputs",
        f"[{','.join(inputs)}]",
        "inputs without embedding where features.embedding.backend=none, such as training.inputs=[tabular,ngrams], "
        "or another backend (features=default)",
    )
    equal = training.max_equal_times
    need(0 <= equal <= 1, "training.max_equal_times", equal, "a share between 0 and 1")
