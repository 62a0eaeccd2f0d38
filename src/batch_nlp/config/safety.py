"""Refuse settings that name code of their own choice or contain a secret.

Hydra instantiates every ``_target_`` in its own settings, and the handlers that its logging settings name. It refuses
functions known to be dangerous; this module refuses all code that is not known to be needed.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from omegaconf import DictConfig, OmegaConf, open_dict

from batch_nlp.config.targets import HYDRA_TARGETS, STEP_TARGETS
from batch_nlp.errors import SettingsError

ALLOWED_IN_LOGGING = frozenset({"ext://sys.stderr", "ext://sys.stdout", "logging.FileHandler", "logging.StreamHandler"})
_LOGGING = ("hydra_logging", "job_logging")
_MADE_BY_HYDRA = ("callbacks", "launcher", "sweeper")
_NAMES_CODE_IN_LOGGING = ("class", "()", "factory", "queue", "listener")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET_PARAMETER = re.compile(r"pass|pwd|token|secret", re.IGNORECASE)


def check_composed(composed: DictConfig) -> None:
    """Refuse settings, those under ``hydra`` included, that name code of their own choice or contain a secret.

    Code is a ``_target_``, or a class in Hydra's logging, that is not on its list.
    """
    settings: Any = OmegaConf.to_container(composed, resolve=False)
    hydra = settings.get("hydra") or {}
    _check_targets(hydra, "hydra", HYDRA_TARGETS)
    steps = STEP_TARGETS | set(settings.get("allow") or {})
    _check_targets({name: value for name, value in settings.items() if name != "hydra"}, "", steps)
    for name, value in _resolved(composed, hydra):
        if name.split(".")[1] in _LOGGING:
            _check_logging(value, name)
        else:
            _check_targets(value, name, HYDRA_TARGETS)
    if (hydra.get("job") or {}).get("env_set"):
        raise SettingsError(
            "hydra.job.env_set: settings may not set environment variables, which can name code, and are saved with "
            "every run. Set them where the job runs (docs/operations.md)."
        )
    for name in ("custom_search_space", "search_space"):
        if (hydra.get("sweeper") or {}).get(name):
            raise SettingsError(
                f"hydra.sweeper.{name}: settings may not name code. Say what to search in hydra.sweeper.params, as the "
                "files in conf/search do."
            )
    subdir = OmegaConf.select(composed, "hydra.output_subdir")
    if subdir and (Path(subdir).is_absolute() or ".." in Path(subdir).parts):
        raise SettingsError(f"hydra.output_subdir={subdir}: need a folder within that of the run, such as .hydra.")
    for name in ("data", "models"):  # Hydra makes the folder of the run's log below one of them
        if not (settings.get("paths") or {}).get(name):
            raise SettingsError(f"paths.{name}: need a folder.")
    check_variable("notify.url_variable", (settings.get("notify") or {}).get("url_variable"))
    if isinstance(uri := (settings.get("tracking") or {}).get("uri"), str):
        check_address(uri)


def check_variable(key: str, name: object) -> None:
    """Refuse an invalid name of an environment variable; it is not shown, since it may be the secret itself."""
    if name is not None and not (isinstance(name, str) and _VARIABLE.fullmatch(name)):
        raise SettingsError(
            f"{key}: need the name of an environment variable, such as BATCH_NLP_WEBHOOK, not what it holds. (What was "
            "given is not shown, and was not saved.)"
        )


def check_arguments(arguments: Iterable[str]) -> None:
    """Refuse what must not be composed: an address with a password, also one of several in a sweep, and packages.

    Hydra imports a package that it is to search for settings.
    """
    for argument in arguments:
        name, _, value = argument.lstrip("+").partition("=")
        if name == "hydra.searchpath" and "pkg:" in value:
            raise SettingsError(
                f"{argument}: settings may not name code, and Hydra imports a package. Name a folder: file:///folder, "
                "or --config-dir /folder."
            )
        if name == "tracking.uri":
            for uri in value.split(","):
                check_address(uri.strip("'\" "))


def check_address(uri: str) -> None:
    """Refuse an address with a password, which would be saved with every run and shown to everyone."""
    parts = urlsplit(uri)
    login, at, host = parts.netloc.rpartition("@")
    secret = bool(at) and (":" in login or parts.scheme in ("http", "https"))
    parameters = [parameter.partition("=") for parameter in parts.query.split("&")]
    if secret or any(value and _SECRET_PARAMETER.search(name) for name, _, value in parameters):
        raise SettingsError(
            f"tracking.uri={parts.scheme}://{'***@' if at else ''}{host}{parts.path}: contains credentials, and "
            "settings are saved with every run. Remove them and set the environment variables "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (or MLFLOW_TRACKING_TOKEN); for PostgreSQL, "
            "PGPASSWORD."
        )


def _resolved(composed: DictConfig, hydra: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Return the settings that Hydra instantiates, resolved: an interpolation can stand for a whole node."""
    known = copy.deepcopy(composed)
    if OmegaConf.is_missing(known.hydra.runtime, "output_dir"):  # known only later; logging names its file by it
        with open_dict(known):
            OmegaConf.update(known, "hydra.runtime.output_dir", ".")
    for part in (*_MADE_BY_HYDRA, *_LOGGING):
        if hydra.get(part) is not None:
            yield f"hydra.{part}", OmegaConf.to_container(known.hydra[part], resolve=True, throw_on_missing=False)


def _values(node: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    """Return path, last name and value of everything below a node."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, value in items:
        below = f"{path}.{name}" if path else str(name)
        yield below, str(name), value
        yield from _values(value, below)


def _check_targets(node: Any, path: str, allowed: Collection[str]) -> None:
    for found, name, value in _values(node, path):
        if name == "_target_" and value not in allowed:
            _refuse(found, value)


def _check_logging(node: Any, path: str) -> None:
    for found, name, value in _values(node, path):
        names_code = name in _NAMES_CODE_IN_LOGGING or (isinstance(value, str) and value.startswith(("ext:", "cfg:")))
        if names_code and value not in ALLOWED_IN_LOGGING:
            _refuse(found, value)


def _refuse(key: str, value: object) -> None:
    raise SettingsError(
        f"{key}={value}: settings may not name code, except the few classes that this project's own settings name. "
        "Remove it; choose launchers and sweepers by the names of their files (hydra/launcher=parallel, "
        "hydra/sweeper=search)."
    )
