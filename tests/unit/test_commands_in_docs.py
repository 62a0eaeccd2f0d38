"""Every command in the code blocks of README and docs, composed and checked as the command line does it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import HydraException
from omegaconf import OmegaConf

from batch_nlp.cli import PROJECT_ROOT
from batch_nlp.config.arguments import read_arguments
from batch_nlp.config.load import typed_settings
from batch_nlp.errors import SettingsError
from batch_nlp.experiments.sweep import missing_extra
from batch_nlp.runner import check_settings

PAGES = [PROJECT_ROOT / "README.md", *sorted((PROJECT_ROOT / "docs").glob("*.md"))]
ENTRY = "start_batch_nlp.py"


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yield the words of each command of the project, with the page that it stands on."""
    for page in PAGES:
        for block in re.findall(r"^```(?:bash|sh)\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True) if ENTRY in line or line.startswith("make ") else []
                if words and "-sc" not in line:
                    yield page.name, words


ALL = [pytest.param(words, id=f"{page}: {' '.join(words)}"[:120]) for page, words in commands()]


def settings_of(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return the environment and the arguments that a command gives to the entry point."""
    if words[0] == "make":
        makefile = (PROJECT_ROOT / "Makefile").read_text()
        recipe = re.search(rf"^{re.escape(words[1])}:.*\n((?:\t.*\n)*)", makefile, re.MULTILINE)
        assert recipe, f"the Makefile has no target {words[1]}"
        given = [shlex.split(word.removeprefix("ARGS=")) for word in words[2:]]
        call = re.search(rf"{ENTRY}((?:.|\\\n)*?)\n", recipe[1])
        own = shlex.split(call[1].replace("\\", "").replace("$(ARGS)", "")) if call else []
        return {}, [*own, *(word for part in given for word in part)] if call else []
    at = next(number for number, word in enumerate(words) if word == ENTRY)
    environment = dict(word.split("=", 1) for word in words[:at] if re.match(r"[A-Z_]+=", word))
    return environment, words[at + 1 :]


def test_the_pages_have_commands() -> None:
    assert len(ALL) > 40


@pytest.mark.parametrize("words", ALL)
def test_a_command_of_the_pages_is_understood(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment, arguments = settings_of(words)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = read_arguments([*takewhile(lambda word: word != "2>", arguments)]).settings
    # the first job of a sweep stands for the others
    parsed = OverridesParser.create().parse_overrides(settings)
    first = [
        _first(word, found) if found.is_sweep_override() else word for word, found in zip(settings, parsed, strict=True)
    ]
    own = _datasets_of_the_pages(tmp_path)
    OmegaConf.register_new_resolver("project_root", lambda: str(PROJECT_ROOT), replace=True)
    # with a root of its own, since in a clone the pages may have been followed
    places = [f"paths.{name}={tmp_path}" for name in ("root", "data", "models")]
    searched = [f"hydra.searchpath=[{own.as_uri()}]", *places]
    try:
        with initialize_config_dir(str(PROJECT_ROOT / "conf"), version_base="1.3"):
            config = typed_settings(compose("config", overrides=[*searched, *first]))
        check_settings(config)
    except HydraException as error:
        if missing_extra(error) is None:  # an extra that is not installed here
            raise
    except SettingsError as error:
        if "--extra" not in str(error):
            raise


def _first(word: str, found: Override) -> str:
    """Return the setting of the first job of a sweep."""
    if isinstance(found.value(), Glob):
        group = sorted((PROJECT_ROOT / "conf" / found.key_or_group).glob("*.yaml"))
        return f"{found.get_key_element()}={group[0].stem}"
    return f"{found.get_key_element()}={next(iter(found.sweep_string_iterator()))}"


def _datasets_of_the_pages(folder: Path) -> Path:
    """Write the datasets' files that the pages show, and return their folder."""
    (folder / "dataset").mkdir()
    for block in re.findall(r"^```yaml\n(.*?)^```", (PROJECT_ROOT / "docs" / "datasets.md").read_text(), re.M | re.S):
        name = re.search(r"^name: (\w+)$", block, re.MULTILINE)
        if name and not (PROJECT_ROOT / "conf" / "dataset" / f"{name[1]}.yaml").exists():
            (folder / "dataset" / f"{name[1]}.yaml").write_text(block)
    # the page from a file to a verdict has init write this one
    tweets = (PROJECT_ROOT / "conf" / "dataset" / "airline_tweets.yaml").read_text()
    (folder / "dataset" / "my_tweets.yaml").write_text(tweets)
    return folder
