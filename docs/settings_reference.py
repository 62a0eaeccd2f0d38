"""Writes ``docs/settings.md`` from the schema in ``src/batch_nlp/config/schema`` and the defaults in ``conf/``.

``python docs/settings_reference.py``; a test asserts that the committed page is what this script writes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import is_dataclass
from enum import Enum
from itertools import takewhile
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from pydantic.fields import FieldInfo

from batch_nlp.config import CONF, PROJECT_ROOT, Config, parse, plain

PAGE = PROJECT_ROOT / "docs" / "settings.md"

_INTRODUCTION = """\
<!-- Written by docs/settings_reference.py from src/batch_nlp/config/schema and conf/. Do not edit by hand. -->

# Settings

Every key below can be set on the command line (`training.holdout=0.3`) or in a file of `conf/`.
All defaults are in `conf/config.yaml`, except those that come from the chosen file of a group, such as `model=xgboost`.
The defaults below are those of a run without arguments. `<project>` is the folder of the project.

`uv run start_batch_nlp.py --cfg job --resolve` prints the settings of a call without running it.
An unknown key, or a value of the wrong type or out of its range, ends with exit code 2 before any work.
"""
_LIMITS = {"ge": "≥ {:g}", "gt": "> {:g}", "le": "≤ {:g}", "lt": "< {:g}"}


def composed_defaults() -> dict[str, Any]:
    """Return the settings of a call without arguments, with the project's folder as ``<project>``."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return plain(parse(Config, compose("config", overrides=["paths.root='<project>'"])))


def _type(annotation: Any, limits: tuple[Any, ...] = ()) -> str:
    """Return a type as people read it."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(parts[0], parts[1:])
    if origin in (Union, UnionType):
        shown = " \\| ".join(_type(part) for part in parts if part is not NoneType)
        return f"{shown} \\| `null`" if NoneType in parts else shown
    if origin is Literal:
        return " \\| ".join(f"`{value}`" for value in parts)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " \\| ".join(f"`{choice.value}`" for choice in annotation)
    if origin is list:
        return "list of entries" if is_dataclass(parts[0]) else f"list of {_type(parts[0])}"
    if origin is dict:
        return "mapping of entries" if is_dataclass(parts[1]) else "mapping"
    name = getattr(annotation, "__name__", "any")
    shown = {"str": "text", "Any": "any", "Rare": "mapping"}.get(name, name)
    found = [
        text.format(getattr(limit, key))
        for one in limits
        for limit in (one.metadata if isinstance(one, FieldInfo) else [one])
        for key, text in _LIMITS.items()
        if hasattr(limit, key)
    ]
    return " ".join([f"`{shown}`", *([", ".join(found)] if found else [])])


def _default(key: str, value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    # a value longer than a line is easier to read in its file
    file = "conf/dataset/" if key.startswith("dataset.") else "conf/config.yaml"
    return f"`{shown}`" if len(shown) <= 120 else f"see `{file}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def groups() -> dict[str, list[str]]:
    """Return the choices of each group."""
    folders = (folder for folder in sorted(CONF.iterdir()) if folder.is_dir() and folder.name != "hydra")
    return {folder.name: sorted(file.stem for file in folder.glob("*.yaml")) for folder in folders}


def _head(file: Path) -> str:
    """Return the comment at the top of a YAML file."""
    lines = takewhile(lambda line: line.startswith("#"), file.read_text().splitlines())
    return " ".join(line.lstrip("# ").strip() for line in lines if not line.startswith("# @package"))


def _groups_table() -> Iterator[str]:
    yield from ("## Groups", "", "| group | choice | what it is |", "| --- | --- | --- |")
    defaults = [one for one in OmegaConf.load(CONF / "config.yaml").defaults if one != "_self_"]
    chosen = {group: choice for one in defaults for group, choice in one.items()}
    for group, choices in groups().items():
        for choice in choices:
            plus = "" if group in chosen else "+"
            mark = " (default)" if chosen.get(group) == choice else ""
            head = _cell(_head(CONF / group / f"{choice}.yaml"))
            yield f"| {group} | `{plus}{group}={choice}`{mark} | {head} |"
    yield ""


def _section(section: Any, key: str, about: str, values: dict[str, Any] | None) -> Iterator[str]:
    """Return a section of the page, and those below it; entries of a mapping or a list have no values."""
    group = f" Group `{key}`: {', '.join(groups()[key])}." if key in groups() else ""
    yield from (f"## {key or 'Top level'}", "", *([f"{about}.{group}", ""] if about else []))
    rows, below = [], list[tuple[Any, str, str, Any]]()
    for name, field in section.__pydantic_fields__.items():
        place = f"{key}.{name}".lstrip(".")
        if is_dataclass(field.annotation):
            below.append((field.annotation, place, field.description, (values or {})[name]))
            continue
        if entries := [part for part in get_args(field.annotation) if is_dataclass(part)]:
            behind = "NAME" if get_origin(field.annotation) is dict else "0"
            below.append((entries[0], f"{place}.{behind}", f"An entry of `{place}`", None))
        if values is not None:
            default = _default(place, values[name])
        elif field.is_required():
            default = "must be given"
        else:
            default = _default(place, field.get_default(call_default_factory=True))
        kind = _type(field.annotation, tuple(field.metadata))
        rows.append(f"| `{place}` | {kind} | {default} | {_cell(field.description)} |")
    if rows:
        yield from ("| key | type | default | meaning |", "| --- | --- | --- | --- |", *rows, "")
    for one in below:
        yield from _section(*one)


def settings_page() -> str:
    """Return the page as Markdown."""
    sections = _section(Config, "", "", composed_defaults())
    return "\n".join([_INTRODUCTION, *_groups_table(), *sections]).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(settings_page())
