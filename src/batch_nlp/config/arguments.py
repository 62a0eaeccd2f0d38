"""Read the command line: flags, and settings in Hydra's form. Hydra is not imported, so that help is quick."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from batch_nlp.errors import SettingsError, did_you_mean

# Flags that say what to do; a command line has at most one of them
_COMMANDS = ("--help", "--help-all", "--hydra-help", "--version", "--cfg", "--info", "--shell-completion", "--multirun")
_FLAGS = (*_COMMANDS, "--package", "--resolve", "--config-dir")
_COMPLETION = re.compile(r"(?:install|uninstall|query)=(?:bash|zsh|fish)")
_RERUN = "--experimental-rerun"
_NAMES_OF_INIT = {f"init.{name}" for name in ("name", "file", "folder", "text", "label", "time", "id")}
_READS_ONLY = ("pipeline=status", "pipeline=verify", "pipeline=init")


@dataclass(frozen=True)
class Arguments:
    """A parsed command line."""

    # the flag that says what to do, in its long form; None runs the pipeline
    command: str | None
    # what that flag was given, such as job after --cfg
    value: str
    # part of the settings that --cfg shows, and whether it shows what references stand for
    package: str | None
    resolve: bool
    # the user's own folder of settings
    config_dir: Path | None
    # as Hydra takes them
    settings: list[str]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingsError(f"{message[:1].upper()}{message[1:]}. uv run start_batch_nlp.py --help lists all flags.")


def _parser() -> _Parser:
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("settings", nargs="*")
    for flags in (["--help", "-h"], ["--help-all"], ["--hydra-help"], ["--version"], ["--multirun", "-m"]):
        parser.add_argument(*flags, action="store_true")
    parser.add_argument("--shell-completion", "-sc", action="store_true")
    parser.add_argument("--cfg", "-c", choices=["job", "hydra", "all"])
    parser.add_argument("--info", "-i", nargs="?", const="all", choices=["all", "config", "defaults", "searchpath"])
    parser.add_argument("--package", "-p")
    parser.add_argument("--resolve", action="store_true")
    parser.add_argument("--config-dir", "-cd", type=Path)
    return parser


def read_arguments(typed: Sequence[str]) -> Arguments:
    """Parse the command line; refuse unknown flags, and flags or settings that exclude each other."""
    parser = _parser()
    found, unknown = parser.parse_known_intermixed_args(typed)
    if unknown:
        raise SettingsError(_unknown_flag(unknown[0]))
    given = {flag: getattr(found, flag.lstrip("-").replace("-", "_")) for flag in _COMMANDS}
    commands = [flag for flag, value in given.items() if value]
    if len(commands) > 1:
        raise SettingsError(f"{' and '.join(commands)} exclude each other. Give one of them.")
    command = commands[0] if commands else None
    if (found.resolve or found.package) and command != "--cfg":
        raise SettingsError("--resolve and --package say what --cfg shows. Add --cfg job.")
    if command in ("--help", "--help-all", "--hydra-help", "--version") and found.settings:
        raise SettingsError(f"{command} takes no settings, such as {found.settings[0]}. Leave them out.")
    if command == "--shell-completion" and not any(map(_COMPLETION.fullmatch, found.settings)):
        raise SettingsError("--shell-completion: need install=SHELL or uninstall=SHELL, with bash, zsh or fish.")
    if found.config_dir is not None and not found.config_dir.is_dir():
        raise SettingsError(f"--config-dir {found.config_dir}: there is no such folder.")
    if found.config_dir is not None and any(setting.startswith("hydra.searchpath=") for setting in found.settings):
        raise SettingsError("--config-dir and hydra.searchpath exclude each other. Give one of them.")
    multirun = command == "--multirun"
    reads = [setting for setting in found.settings if setting.startswith(_READS_ONLY)]
    if multirun and reads:
        raise SettingsError(f"--multirun and {reads[0]} exclude each other: there is nothing to compare. Leave out -m.")
    value = given[command] if command and isinstance(given[command], str) else ""
    settings = found.settings if command == "--shell-completion" else _as_hydra_takes_them(found.settings)
    return Arguments(command, value, found.package, found.resolve, found.config_dir, settings)


def _unknown_flag(typed: str) -> str:
    flag, has_value, _ = typed.partition("=")
    if len(flag) > 2 and _RERUN.startswith(flag):
        return (
            f"{flag}: not available, since it loads a pickle, which can run any code. The settings of an earlier run "
            "are in its folder, in .hydra/overrides.yaml: give them again."
        )
    if has_value:
        return f"{typed}: a setting has no dashes before it. Say {typed.lstrip('-')}."
    return f"{typed}: there is no such flag. {did_you_mean(flag, _FLAGS)}"


def _as_hydra_takes_them(settings: Sequence[str]) -> list[str]:
    """Return settings as Hydra takes them.

    Hydra accepts a setting without ``+`` only if a file has it. The files name only some of an estimator's parameters,
    but all can be set. A pipeline that only reads gets no folder for its log, so it works on a full disk.
    """
    names = [setting.removeprefix("sweep=") for setting in settings if setting.startswith("sweep=")]
    own = [_of_init(setting) for setting in settings if not setting.startswith("sweep=")]
    own = [re.sub(r"^(?=model\.params\.)", "++", setting) for setting in own]
    for name in names:
        if not re.fullmatch(r"\w[\w.-]*", name):
            raise SettingsError(f"sweep={name}: need a name of letters, digits and any of ._- inside.")
        own += ["hydra.mode=MULTIRUN", f"hydra.sweep.dir=${{paths.data}}/08_reporting/sweeps/{name}"]
    if set(_READS_ONLY) & set(settings) and not any(setting.startswith("verify.") for setting in settings):
        own += ["hydra.run.dir=.", "hydra.output_subdir=null"]
    return own


def _of_init(setting: str) -> str:
    """Return a setting of ``pipeline=init`` as Hydra takes it: names of files and columns may contain any character."""
    key, _, value = setting.partition("=")
    if key not in _NAMES_OF_INIT or value[:1] in ("'", '"', "[") or value in ("", "null"):
        return setting
    names = [value] if key in ("init.name", "init.file", "init.folder") else value.split(",")
    # backslashes before a closing quote are doubled, and a dollar sign refers to no other setting
    quoted = [re.sub(r"(\\*)('|$)", _escaped, name.replace("${", "\\${")) for name in names]
    listed = ",".join(f"'{name}'" for name in quoted)
    return f"{key}={listed}" if len(names) == 1 else f"{key}=[{listed}]"


def _escaped(found: re.Match[str]) -> str:
    return found[1] * 2 + (r"\'" if found[2] else "")
