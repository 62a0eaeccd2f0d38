"""Writes ``docs/settings.md`` from the schema in ``src/batch_nlp/config/`` and the defaults composed from ``conf/``.

``python docs/settings_reference.py``; a test asserts that the committed page is what this script writes.
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Collection
from dataclasses import MISSING, dataclass, fields
from itertools import takewhile
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir

from batch_nlp import config as schema
from batch_nlp.config import Config, parse, plain

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = ROOT / "src" / "batch_nlp" / "config" / "schema"
CONF = ROOT / "conf"
PAGE = ROOT / "docs" / "settings.md"

_INTRODUCTION = """\
<!-- Written by docs/settings_reference.py from src/batch_nlp/config/ and conf/. Do not edit by hand. -->

# Settings

Every key below can be set on the command line (`training.holdout=0.3`) or in a file of `conf/`.
Keys marked with a group come from the chosen file of that group, for example `model=logistic_regression`.
The defaults are those of a run without arguments. `<project>` is the folder of the project.

`uv run start_batch_nlp.py --cfg job --resolve` prints the settings of a call without running it.
A key that does not exist, or a value of the wrong type, ends with exit code 2 before any work.
"""


@dataclass(frozen=True)
class Field:
    """A field of a schema class: its type as written, and the comment above it."""

    name: str
    type: str
    comment: str


def _comments(source: str) -> dict[int, str]:
    """Return the comments that stand alone on their line, by line number."""
    lines = source.splitlines()
    return {
        token.start[0]: token.string.lstrip("# ").rstrip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT and lines[token.start[0] - 1].lstrip().startswith("#")
    }


def _comment_above(comments: dict[int, str], line: int) -> str:
    parts: list[str] = []
    while (line := line - 1) in comments:
        parts.insert(0, comments[line])
    return " ".join(parts)


def read_schema(source: str) -> tuple[dict[str, list[Field]], dict[str, list[str]]]:
    """Return the fields of each schema class, and the values of each enumeration.

    Parameters
    ----------
    source : str
        Text of a module of the schema.

    Raises
    ------
    ValueError
        If a field has no comment above it.
    """
    comments = _comments(source)
    classes: dict[str, list[Field]] = {}
    enums: dict[str, list[str]] = {}
    for node in ast.parse(source).body:
        if not isinstance(node, ast.ClassDef):
            continue
        if any(isinstance(base, ast.Name) and base.id == "Enum" for base in node.bases):
            enums[node.name] = [
                str(item.value.value)
                for item in node.body
                if isinstance(item, ast.Assign) and isinstance(item.value, ast.Constant)
            ]
            continue
        fields = []
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                comment = _comment_above(comments, item.lineno)
                if not comment:
                    raise ValueError(f"{node.name}.{item.target.id} has no comment above it")
                fields.append(Field(item.target.id, ast.unparse(item.annotation), comment))
        classes[node.name] = fields
    return classes, enums


def composed_defaults() -> dict[str, Any]:
    """Return the settings of a call without arguments, with the project's folder as ``<project>``."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed = compose("config", overrides=["paths.root='<project>'"])
    settings: Config = parse(Config, composed)
    return plain(settings)


def _of_entries(annotation: str, classes: Collection[str]) -> tuple[str, str] | None:
    """Return what comes behind the key of an entry, and its class, where a setting holds entries of one."""
    found = re.fullmatch(r"(dict\[str, |list\[)(\w+)\]", annotation)
    if found is None or found[2] not in classes:
        return None
    return ".NAME" if found[1].startswith("dict") else ".0", found[2]


def _class_defaults(name: str) -> dict[str, Any]:
    """Return the defaults of a class of entries, as the settings of an entry that says nothing."""
    found = {field.name: field for field in fields(getattr(schema, name))}
    return {
        name: field.default_factory() if field.default_factory is not MISSING else field.default
        for name, field in found.items()
    }


def _type(annotation: str, enums: dict[str, list[str]]) -> str:
    optional = annotation.endswith(" | None")
    name = annotation.removesuffix(" | None")
    name = {"Any": "any", "list[Any]": "list", "dict[str, Any]": "mapping"}.get(name, name)
    if found := re.fullmatch(r"(dict\[str, |list\[)(\w+)Config\]", name):
        name = "mapping of entries" if found[1].startswith("dict") else "list of entries"
    inner = name.removeprefix("list[").removesuffix("]")
    if name in enums:
        shown = " \\| ".join(f"`{value}`" for value in enums[name])
    elif inner in enums:
        shown = "list of " + " \\| ".join(f"`{value}`" for value in enums[inner])
    else:
        shown = f"`{name}`"
    return f"{shown} \\| `null`" if optional else shown


def _value(key: str, value: object) -> str:
    if value == "???":
        return "must be given"
    shown = json.dumps(value, ensure_ascii=False)
    # what fills more than a line is better read in its file
    return f"`{shown}`" if len(shown) <= 120 else f"see `conf/{key.partition('.')[0]}/`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _groups() -> dict[str, list[str]]:
    return {
        folder.name: sorted(file.stem for file in folder.glob("*.yaml"))
        for folder in sorted(CONF.iterdir())
        if folder.is_dir() and folder.name != "hydra"
    }


def _head(file: Path) -> str:
    """Return the comment at the top of a YAML file."""
    lines = takewhile(lambda line: line.startswith("#"), file.read_text().splitlines())
    return " ".join(line.lstrip("# ").strip() for line in lines if not line.startswith("# @package"))


def _group_pages(defaults: dict[str, Any]) -> list[str]:
    parts = ["## Groups", "", "| group | choice | what it is |", "| --- | --- | --- |"]
    chosen = {"features": "default", "drift": "default", "engine": "local", "tracking": "none"} | {
        group: defaults[group]["name"] for group in ("pipeline", "dataset", "model")
    }
    for group, choices in _groups().items():
        for choice in choices:
            plus = "" if group in defaults else "+"
            mark = " (default)" if chosen.get(group) == choice else ""
            parts.append(
                f"| {group} | `{plus}{group}={choice}`{mark} | {_cell(_head(CONF / group / f'{choice}.yaml'))} |"
            )
    return [*parts, ""]


def settings_page() -> str:
    """Return the page as Markdown."""
    classes: dict[str, list[Field]] = {}
    enums: dict[str, list[str]] = {}
    for module in sorted(SCHEMA.glob("*.py")):
        classes_here, enums_here = read_schema(module.read_text())
        classes |= classes_here
        enums |= enums_here
    defaults = composed_defaults()
    groups = _groups()
    sections: list[str] = []

    def section(prefix: str, name: str, comment: str, values: Any) -> None:
        title = prefix or "Top level"
        group = f" Group `{prefix}`: {', '.join(groups[prefix])}." if prefix in groups else ""
        rows, nested = [], []
        for field in classes[name]:
            value = values.get(field.name) if isinstance(values, dict) else None
            key = f"{prefix}.{field.name}" if prefix else field.name
            if field.type in classes:
                nested.append((key, field.type, field.comment, value))
                continue
            if entries := _of_entries(field.type, classes):
                behind, inner = entries
                nested.append((key + behind, inner, f"An entry of `{key}`", _class_defaults(inner)))
            rows.append(f"| `{key}` | {_type(field.type, enums)} | {_value(key, value)} | {_cell(field.comment)} |")
        sections.extend([f"## {title}", ""])
        if comment:
            sections.extend([f"{comment}.{group}", ""])
        if rows:
            sections.extend(["| key | type | default | meaning |", "| --- | --- | --- | --- |", *rows, ""])
        for below in nested:
            section(*below)

    section("", "Config", "", defaults)
    return "\n".join([_INTRODUCTION, *_group_pages(defaults), *sections]).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(settings_page())
