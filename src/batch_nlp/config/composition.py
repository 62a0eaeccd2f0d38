"""What Hydra composes is checked before Hydra acts on it or saves it: the code it names, and secrets in it.

Hydra makes objects of every ``_target_`` in its own settings, and handlers of what its logging settings name. It
refuses functions that are known to be dangerous; here, all code is refused that is not known to be needed.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import ConfigCompositionException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from batch_nlp.config import Config
from batch_nlp.config.targets import HYDRA_TARGETS, STEP_TARGETS
from batch_nlp.errors import SettingsError

ALLOWED_IN_LOGGING = frozenset({"ext://sys.stderr", "ext://sys.stdout", "logging.FileHandler", "logging.StreamHandler"})
_LOGGING = ("hydra_logging", "job_logging")
_MADE_BY_HYDRA = ("callbacks", "launcher", "sweeper")
_NAMES_CODE_IN_LOGGING = ("class", "()", "factory", "queue", "listener")
_RERUN = "--experimental-rerun"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_flags(arguments: Iterable[str]) -> None:
    """Refuse settings with dashes, and ``--experimental-rerun`` or as much of it as Hydra takes: it loads a pickle.

    Raises
    ------
    SettingsError
    """
    for argument in arguments:
        flag, has_value, _ = argument.partition("=")
        names = vars(Config)["__dataclass_fields__"]
        if has_value and flag.startswith("-") and flag.lstrip("-").partition(".")[0] in names:
            raise SettingsError(f"{argument}: a setting has no dashes before it. Say {argument.lstrip('-')}.")
        if len(flag) > 2 and _RERUN.startswith(flag):
            raise SettingsError(
                f"{flag}: not to be had here, since it loads a pickle, and that can run any code. The settings of an "
                "earlier run are in its folder, as .hydra/overrides.yaml: give them again."
            )


def watch_compositions() -> None:
    """Have `check_composed` look at everything that Hydra composes in this process, jobs of a multirun included.

    Hydra has no hook between composing and acting; its version is pinned, and a test shows that this one holds. It
    composes the settings of a run twice, the first time only to see whether they ask for a multirun. That takes most of
    the time in which a command starts, so the run gets what was composed then.
    """
    if hasattr(ConfigLoaderImpl.load_configuration, "__wrapped__"):
        return
    load = ConfigLoaderImpl.load_configuration
    ahead: list[DictConfig] = []

    @wraps(load)
    def checked(
        self: ConfigLoaderImpl,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        known = ahead.pop() if ahead else None
        if known is not None and run_mode is RunMode.RUN:
            return known
        asks_for_mode = not validate_sweep_overrides
        mode = RunMode.RUN if asks_for_mode else run_mode
        composed = load(self, config_name, overrides, mode, from_shell, validate_sweep_overrides)
        try:
            check_composed(composed)
        except SettingsError as error:  # as one of Hydra's own it is told like any other mistake in the settings
            raise ConfigCompositionException(str(error)) from None
        if asks_for_mode:
            with suppress(ConfigCompositionException):  # values of a sweep: a run is refused them
                parsed = OverridesParser.create().parse_overrides(overrides)
                self.validate_sweep_overrides_legal(parsed, RunMode.RUN, from_shell)
                ahead.append(composed)
        return composed

    ConfigLoaderImpl.load_configuration = checked  # type: ignore[method-assign] # replaced on purpose


def list_groups_without_copies() -> None:
    """Have Hydra list a group of settings from what it has loaded, and not from a copy made for each listing.

    The copy is there for overrides that change where settings come from. Without any it only costs time: ``--help``
    lists each group twice or more, and spent two thirds of its time on the copies.
    """
    if hasattr(ConfigLoaderImpl.get_group_options, "__wrapped__"):
        return
    options = ConfigLoaderImpl.get_group_options

    @wraps(options)
    def listed(
        self: ConfigLoaderImpl,
        group_name: str,
        results_filter: ObjectType | None = ObjectType.CONFIG,
        config_name: str | None = None,
        overrides: Sequence[str] | None = None,
    ) -> list[str]:
        if config_name is None and not overrides:
            return self.repository.get_group_options(group_name, results_filter)
        return options(self, group_name, results_filter, config_name, list(overrides or ()))

    ConfigLoaderImpl.get_group_options = listed  # type: ignore[method-assign] # replaced on purpose


def check_composed(composed: DictConfig) -> None:
    """Refuse settings, those of Hydra under ``hydra`` among them, that name code of their own choice or hold a secret.

    Raises
    ------
    SettingsError
        If a ``_target_``, or a class in Hydra's logging, is not on its list; if ``hydra.job.env_set`` sets anything;
        or if a secret stands where the name of its environment variable belongs.
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
    if (hydra.get("sweeper") or {}).get("custom_search_space"):
        raise SettingsError(
            "hydra.sweeper.custom_search_space: settings may not name code. Say what to search in "
            "hydra.sweeper.params, as the files in conf/search do."
        )
    check_variable("notify.url_variable", (settings.get("notify") or {}).get("url_variable"))


def check_variable(key: str, name: object) -> None:
    """Refuse what cannot be the name of an environment variable; it is not shown, since it may be the secret itself."""
    if name is not None and not (isinstance(name, str) and _VARIABLE.fullmatch(name)):
        raise SettingsError(
            f"{key}: need the name of an environment variable, such as BATCH_NLP_WEBHOOK, not what it holds. (What was "
            "given is not shown, and was not saved.)"
        )


def _resolved(composed: DictConfig, hydra: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Return what Hydra makes objects of, as it will see it: an interpolation can stand for a whole node."""
    known = copy.deepcopy(composed)
    with open_dict(known):
        # known only later; logging names its file by it
        OmegaConf.update(known, "hydra.runtime.output_dir", ".")
    for part in (*_MADE_BY_HYDRA, *_LOGGING):
        if hydra.get(part) is not None:
            yield f"hydra.{part}", OmegaConf.to_container(known.hydra[part], resolve=True, throw_on_missing=False)


def _values(node: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    """Return path, own name and value of everything below a node."""
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
        f"{key}={value}: settings may not name code, but for the few classes that this project's own settings name. "
        "Remove it; launchers and sweepers go by the names of their files (hydra/launcher=parallel, "
        "hydra/sweeper=search)."
    )
