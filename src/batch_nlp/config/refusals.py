"""Messages about settings that cannot be used: key, value, what is needed, and the nearest valid name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf.errors import ConfigKeyError, MissingMandatoryValue, OmegaConfBaseException

from batch_nlp.errors import SettingsError, did_you_mean, printable

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

# Pydantic's kind of error -> what the setting needs to be; other errors keep pydantic's wording
_NEEDS = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dataclass_type": "a mapping of settings",
    "dict_type": "a mapping",
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "list_type": "a list",
    "too_short": "{min_length} entry or more",
    "string_pattern_mismatch": "a name of letters, digits and any of ._- inside, that begins with a letter or digit",
    "string_type": "text",
    "value_error": "{error}",
}
_IN_FILE = re.compile(r"In '(?P<file>[^']+)': (?:\w+ raised while composing config:\s*)?(?P<reason>.*)")
_LIMITS = {"gt": "more than {:g}", "ge": "{:g} or more", "lt": "less than {:g}", "le": "{:g} or less"}


def composition_error(error: Exception) -> SettingsError:
    """Return what an error of Hydra or OmegaConf means to the user, with the nearest valid name."""
    cause = error.__cause__ if isinstance(error, HydraException) and error.__cause__ else error
    if isinstance(error, MissingConfigException) and error.options:
        group, _, name = (error.missing_cfg_file or "").rpartition("/")
        hint = did_you_mean(name, error.options)
        nearest = "" if hint.startswith("Valid") else f"{hint} "
        return SettingsError(f"{group}={name}: there is no such choice. {nearest}Choices: {', '.join(error.options)}.")
    if isinstance(cause, MissingMandatoryValue):
        return SettingsError(f"{cause.full_key}: has no value. Set it on the command line or in conf/.")
    if isinstance(cause, OmegaConfBaseException):
        key = str(cause.full_key or "")
        if isinstance(cause, ConfigKeyError | AttributeError) and key:
            return SettingsError(_unknown(key))
        reason = str(cause.msg or cause).splitlines()[0]
        return SettingsError(f"{key}: {reason}" if key else reason)
    if isinstance(error, OverrideParseException):
        from batch_nlp.config.schema.enums import Stage

        hint = f" Say pipeline={error.override}." if error.override in {"fti", *Stage.__members__} else ""
        return SettingsError(f"{error.override}: not a setting that can be read ({str(error).splitlines()[0]}).{hint}")
    text = str(error).strip()
    if gone := re.match(r"Could not delete from config\. '(.+)' does not exist", text):
        return SettingsError(_unknown(gone[1]))
    if found := _IN_FILE.match(text):
        return SettingsError(
            f"{found['file']}.yaml: cannot be composed ({found['reason']}). A file of settings holds SETTING: VALUE, "
            "and the files that its defaults name must exist."
        )
    return SettingsError(text)


def validation_error(error: ValidationError, section: type, prefix: str) -> SettingsError:
    """Return the message about the errors that pydantic found in a section at `prefix`."""
    problems = list(dict.fromkeys(_problem(one, section, prefix) for one in error.errors()))
    if len(problems) == 1:
        return SettingsError(problems[0])
    return SettingsError("\n- ".join([f"{len(problems)} settings cannot be used.", *problems]))


def _problem(found: ErrorDetails, section: type, prefix: str) -> str:
    kind, context, value = found["type"], found.get("ctx", {}), found["input"]
    if kind == "rule":  # about several settings; it names the one to change
        key = _key(prefix, *found["loc"], context["key"])
        return f"{key}={_shown(context['value'])}: need {context['need']}."
    key = _key(prefix, *found["loc"])
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        return _unknown(key, section, prefix)
    if kind == "missing":
        return f"{key}: has no value. Set it on the command line or in conf/."
    if kind in ("enum", "literal_error"):
        valid = re.findall(r"'(.*?)'", context["expected"])
        hint = did_you_mean(str(value), valid)
        nearest = "" if hint.startswith("Valid") else f" {hint}"
        return f"{key}={_shown(value)}: need one of {', '.join(valid)}.{nearest}"
    if kind.startswith(("greater_than", "less_than")):
        return f"{key}={_shown(value)}: need {_range(key, section, prefix, context)}."
    need = _NEEDS[kind].format(**context) if kind in _NEEDS else found["msg"].removeprefix("Input should be ")
    return f"{key}={_shown(value)}: need {need}."


def _range(key: str, section: type, prefix: str, found: Mapping[str, Any]) -> str:
    """Return both ends of a setting's range; for an entry of a list, the end that pydantic found."""
    from batch_nlp.config.schema.section import described

    fields = [field for name, field in described(section, prefix) if fnmatchcase(key, name)]
    limits = [limit for field in fields for limit in field.metadata]
    ends = {end: getattr(limit, end) for limit in limits for end in _LIMITS if hasattr(limit, end)}
    if ends.keys() == {"ge", "le"}:
        return f"a number from {ends['ge']:g} to {ends['le']:g}"
    return " and ".join(_LIMITS[end].format(value) for end, value in (ends or found).items())


def _key(*parts: str | int) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts if part != "").lstrip(".")


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return printable(f"[{','.join(map(_shown, value))}]" if isinstance(value, list) else value)


def _unknown(key: str, section: type | None = None, prefix: str = "") -> str:
    """Return the message about an unknown setting, with a similar neighbour or the setting of that name elsewhere."""
    from batch_nlp.config.schema.config import Config
    from batch_nlp.config.schema.section import described

    valid = [found for found, _ in described(section or Config, prefix)]
    parent, _, name = key.rpartition(".")
    # an entry of a mapping or a list has any name
    neighbours = [last for path, _, last in (found.rpartition(".") for found in valid) if fnmatchcase(parent, path)]
    near = [f"{parent}.{last}".lstrip(".") for last in neighbours] or valid
    hint = did_you_mean(key, near)
    elsewhere = [found for found in valid if found.rpartition(".")[2] == name]
    if len(elsewhere) == 1:  # says more than a similar name
        hint = f"Did you mean {elsewhere[0]!r}?"
    elif hint.startswith("Valid"):
        nearest = ", ".join(get_close_matches(key, near, n=3, cutoff=0))
        hint = f"Did you mean {elsewhere[0]!r}?" if elsewhere else f"Nearest: {nearest}."
    return f"{key}: there is no such setting. {hint}"
