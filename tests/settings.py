"""Sections of the settings as conf/ has them, with changes."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, TypeVar

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from batch_nlp.cli import PROJECT_ROOT
from batch_nlp.config.load import typed_settings

T = TypeVar("T")


@cache
def composed(*overrides: str) -> DictConfig:
    """Return what Hydra composes from conf/; nobody changes it."""
    OmegaConf.register_new_resolver("project_root", lambda: str(PROJECT_ROOT), replace=True)
    with initialize_config_dir(str(PROJECT_ROOT / "conf"), version_base="1.3"):
        return compose("config", overrides=list(overrides))


def bare_dataset() -> dict[str, Any]:
    """Return what conf/ says of every dataset, interpolations unresolved."""
    settings: Any = OmegaConf.to_container(OmegaConf.load(PROJECT_ROOT / "conf" / "config.yaml"))
    return dict(settings["dataset"])


@cache
def _defaults() -> dict[type, Any]:
    """Return each section of the settings of a call without arguments, by its class."""
    values: Any = OmegaConf.to_container(composed("paths.data=/nowhere", "paths.models=/nowhere", "model=xgboost"))
    # no dataset that comes with the project
    values["dataset"] = {"name": "mine", **bare_dataset()}
    found: dict[type, Any] = {}

    def note(section: Any) -> None:
        found[type(section)] = section
        for field in fields(section):
            if is_dataclass(value := getattr(section, field.name)):
                note(value)

    note(typed_settings(OmegaConf.create(values)))
    return found


def default(section: type[T], **changes: Any) -> T:
    """Return a section of the settings as conf/ has it, but for these changes."""
    unchanged: Any = _defaults()[section]
    changed: T = replace(unchanged, **changes)
    return changed
