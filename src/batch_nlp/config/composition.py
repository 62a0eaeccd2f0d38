"""Compose settings with Hydra, and refuse forbidden ones before anything acts on them or saves them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from yaml import YAMLError

from batch_nlp.config import CONF, PROJECT_ROOT
from batch_nlp.config.safety import check_composed
from batch_nlp.errors import SettingsError

if TYPE_CHECKING:
    from batch_nlp.config import Config

NAME = "config"
# Groups whose files exclude each other, each with one of its choices
_SINGLE = {"dataset": "sample", "model": "xgboost"}
OmegaConf.register_new_resolver("project_root", lambda: str(PROJECT_ROOT), replace=True)


@contextmanager
def composer() -> Iterator[ConfigLoader]:
    """Make Hydra read conf/ within the block."""
    with hydra.initialize_config_dir(str(CONF), job_name="start_batch_nlp", version_base="1.3"):
        yield GlobalHydra.instance().config_loader()


def also_from(folder: Path) -> str:
    """Return the setting with which Hydra also reads a user's own folder of settings."""
    return f"hydra.searchpath=[{QuotedString(f'file://{folder.absolute()}', Quote.single).with_quotes()}]"


def compose(settings: Sequence[str], multirun: bool, loader: ConfigLoader) -> tuple[DictConfig, bool]:
    """Return the composed settings, with Hydra's own under ``hydra``, and whether they are those of a multirun.

    A flag or a setting can ask for a multirun. Its settings are those that all jobs share; those of each job are
    checked as well.

    Raises
    ------
    SettingsError
        If settings name code of their own choice, or contain a secret.
    HydraException
        If they cannot be composed.
    """
    overrides = OverridesParser.create(config_loader=loader).parse_overrides(list(settings))
    fixed = [override.input_line or "" for override in overrides if not override.is_sweep_override()]
    composed = _checked(fixed)
    multirun = multirun or composed.hydra.mode == RunMode.MULTIRUN
    if multirun:
        for choices in _choices_of_jobs(overrides, composed, fixed, loader):
            _checked([*fixed, *choices])
    elif sweep := next((override for override in overrides if override.is_sweep_override()), None):
        key = sweep.get_key_element()
        raise SettingsError(
            f"{sweep.input_line}: only a multirun tries several values (-m starts a job for each). For a list, write "
            f"{key}=[VALUE,VALUE]. For text with a comma, quote the text: '{key}=\"TEXT\"'."
        )
    return composed, multirun


def typed(*settings: str) -> Config:
    """Return the settings that a command line of `settings` composes: for Python and notebooks."""
    from batch_nlp.config.load import typed_settings

    with composer() as loader:
        composed, _ = compose(settings, False, loader)
    with open_dict(composed):
        del composed["hydra"]
    return typed_settings(composed)


def _checked(settings: Sequence[str]) -> DictConfig:
    try:
        composed = hydra.compose(NAME, list(settings), return_hydra_config=True)
    except (YAMLError, ValueError, AssertionError) as error:  # of a broken file, or of null in place of a choice
        raise SettingsError(f"The settings cannot be composed: {error}.") from error
    check_composed(composed)
    for group, choice in _SINGLE.items():
        if group not in composed.hydra.runtime.choices:  # it lacks a group with a list of choices
            raise SettingsError(f"{group}: need exactly one choice, such as {group}={choice}.")
    return composed


def _choices_of_jobs(
    overrides: Sequence[Override], composed: DictConfig, fixed: list[str], loader: ConfigLoader
) -> Iterator[tuple[str, ...]]:
    """Return all combinations of the files that the jobs of a multirun choose.

    Other values of a sweep cannot bring in settings of Hydra, which Hydra would act on before a job can check them.
    """
    params: Any = composed.hydra.sweeper.get("params")
    if params is not None and not OmegaConf.is_dict(params):
        raise SettingsError(f"hydra.sweeper.params={params}: need settings with their values, as in conf/search.")
    parser = OverridesParser.create(config_loader=loader)
    searched = parser.parse_overrides([f"{key}={value}" for key, value in (params or {}).items()])
    sweeps = [
        [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]
        for override in (*overrides, *searched)
        if override.is_discrete_sweep()
        and loader.get_group_options(override.key_or_group, ObjectType.CONFIG, NAME, fixed)
    ]
    return product(*sweeps) if sweeps else iter(())
