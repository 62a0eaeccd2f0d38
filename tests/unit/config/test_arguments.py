"""What is typed becomes what Hydra takes; wrong flags are refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.naming import refusal

from batch_nlp.config.arguments import read_arguments
from batch_nlp.errors import SettingsError


def test_flags_may_stand_anywhere(tmp_path: Path) -> None:
    found = read_arguments(["seed=1", "--cfg", "job", "--config-dir", str(tmp_path), "~model.params.c", "--resolve"])
    assert (found.command, found.value, found.resolve, found.config_dir) == ("--cfg", "job", True, tmp_path)
    assert found.settings == ["seed=1", "~model.params.c"]


@pytest.mark.parametrize(
    ("typed", "settings"),
    [
        (["model.params.depth=4"], ["++model.params.depth=4"]),
        (["sweep=mine"], ["hydra.mode=MULTIRUN", "hydra.sweep.dir=${paths.data}/08_reporting/sweeps/mine"]),
        (["pipeline=status"], ["pipeline=status", "hydra.run.dir=.", "hydra.output_subdir=null"]),
        (["pipeline=verify", "verify.repair=true"], ["pipeline=verify", "verify.repair=true"]),
        (["init.file=a, b.csv"], ["init.file='a, b.csv'"]),
        (["init.label=a,it's"], [r"init.label=['a','it\'s']"]),
        (["init.text=${x}\\"], ["init.text='\\${x}\\\\'"]),
        (["init.time=[a]"], ["init.time=[a]"]),
    ],
)
def test_settings_are_written_as_hydra_takes_them(typed: list[str], settings: list[str]) -> None:
    assert read_arguments(typed).settings == settings


def test_shell_completion_gets_its_words_as_they_are() -> None:
    found = read_arguments(["-sc", "install=bash"])
    assert (found.command, found.settings) == ("--shell-completion", ["install=bash"])


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (["--multrun"], "'--multirun'"),
        (["-m", "--info"], "--multirun"),
        (["-sc"], "install="),
        (["-sc", "foo"], "install="),
        (["-sc", "install=foo"], "bash"),
        (["--package", "drift"], "--cfg job"),
        (["--exp", "x"], ".hydra/overrides.yaml"),
        (["--seed=1"], "seed=1"),
        (["sweep=a/b"], "sweep=a/b"),
        (["--config-dir", ".", "hydra.searchpath=[x]"], "hydra.searchpath"),
        (["-m", "pipeline=verify"], "pipeline=verify"),
    ],
)
def test_what_cannot_be_is_refused(typed: list[str], named: str) -> None:
    """Guarantee 10."""
    with refusal(SettingsError, named):
        read_arguments(typed)
