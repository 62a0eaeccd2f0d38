"""How sections of the settings are declared, and the kinds of values they share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Annotated, Any, TypeVar, get_args

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from typing_extensions import dataclass_transform

T = TypeVar("T")

_RULES = ConfigDict(extra="forbid", allow_inf_nan=False, coerce_numbers_to_str=True)


@dataclass_transform(frozen_default=True, field_specifiers=(Field,))
def section(cls: type[T]) -> type[T]:
    """Make a class a section of the settings: frozen, with checked values, and without other keys."""
    made: type[T] = dataclass(frozen=True, config=_RULES)(cls)  # type: ignore[assignment] # the class, with checks
    return made


def refusal(key: str, value: object, need: str) -> PydanticCustomError:
    """Return the error of a rule about several settings; `key` is the one to change, named from its section on."""
    return PydanticCustomError("rule", "{key}", {"key": key, "value": value, "need": need})


def is_each_once(values: list[Any]) -> list[Any]:
    """Refuse a list that is empty or names something twice."""
    if not values or any(values.count(value) > 1 for value in values):
        raise ValueError("one or more, each once")
    return values


def _is_step(step: dict[str, Any]) -> dict[str, Any]:
    if "_target_" not in step:
        raise ValueError("{_target_: import path of a step, parameter: value, ...}")
    return step


Share = Annotated[float, Field(ge=0, le=1)]
# A share strictly between 0 and 1
Part = Annotated[float, Field(gt=0, lt=1)]
Number = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
# What folders and files can be called
Name = Annotated[str, Field(pattern=r"^\w[\w.-]*$")]
Step = Annotated[dict[str, Any], AfterValidator(_is_step)]
Steps = Annotated[list[Step], Field(min_length=1)]


def described(section: Any, prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Return all settings of a section by name, with their fields in the schema.

    A ``*`` stands for the name of an entry of a mapping, or its position in a list.
    """
    for name, field in section.__pydantic_fields__.items():
        yield (key := f"{prefix}.{name}".lstrip(".")), field
        if is_dataclass(field.annotation):
            yield from described(field.annotation, key)
        elif section in get_args(field.annotation):
            # the settings of an alternative to the section, which has none itself
            yield from ((f"{key}.{below}", its) for below, its in section.__pydantic_fields__.items() if below != name)
        elif entries := [part for part in get_args(field.annotation) if is_dataclass(part)]:
            yield from described(entries[0], f"{key}.*")
