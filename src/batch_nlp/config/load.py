"""Convert what Hydra composed, or a file keeps, to checked settings, and back to plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar, get_args

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from batch_nlp.config.refusals import composition_error, validation_error
from batch_nlp.config.schema.config import Config, LogLevel

T = TypeVar("T")
_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)
LOG_LEVELS: tuple[str, ...] = get_args(LogLevel)


def typed_settings(composed: DictConfig) -> Config:
    """Return the composed settings as the typed, frozen schema.

    Raises a `SettingsError` that names all unknown keys, and all values that are missing, of the wrong type, out of
    their range, or contradict another one.
    """
    return parse(Config, composed)


def parse(section: type[T], values: DictConfig | Mapping[str, Any], key: str = "") -> T:
    """Return values as a section of the settings, which stands at `key`, or raise a `SettingsError`."""
    try:
        plain_values: Any = values
        if isinstance(values, DictConfig):
            plain_values = OmegaConf.to_container(values, resolve=True, throw_on_missing=True)
        parsed: T = _adapter(section).validate_python(plain_values)
    except OmegaConfBaseException as error:
        raise composition_error(error) from error
    except ValidationError as error:
        raise validation_error(error, section, key) from None
    return parsed


def plain(settings: object) -> dict[str, Any]:
    """Return a section of the settings as JSON values."""
    values: dict[str, Any] = to_jsonable_python(settings)
    return values
