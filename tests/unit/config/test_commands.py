from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from batch_nlp.config import commands
from batch_nlp.config.commands import command


def test_a_command_starts_with_the_uv_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "PROJECT_ROOT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert shlex.split(command(["pipeline=status"], []))[0] == "uv"
    for file, start in ((tmp_path / ".uv" / "bin" / "uv", ".uv/bin/uv"), (tmp_path / "bin" / "uv", "uv")):
        file.parent.mkdir(parents=True)
        file.touch(0o755)
        assert shlex.split(command(["pipeline=status"], [])) == [start, "run", "start_batch_nlp.py", "pipeline=status"]
