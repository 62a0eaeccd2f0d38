"""Permissions of what a run writes, since it holds messages."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.projects import Project

from batch_nlp.cli import PROJECT_ROOT


@pytest.mark.parametrize(("own", "file_mode", "folder_mode"), [((), 0o600, 0o700), (("true",), 0o640, 0o750)])
def test_other_users_can_read_no_output_however_the_run_was_started(
    own: tuple[str, ...], file_mode: int, folder_mode: int, tmp_path: Path
) -> None:
    project = Project(tmp_path)
    settings = [f"paths.group_reads={value}" for value in own]
    settings += ["pipeline=feature", "features=none", "training.inputs=[tabular]", "sample.messages=60"]
    command = [sys.executable, str(PROJECT_ROOT / "start_batch_nlp.py"), *project.arguments(*settings)]
    subprocess.run(["sh", "-c", f"umask 0; exec {shlex.join(command)}"], cwd=tmp_path, check=True, capture_output=True)
    written = [path for path in tmp_path.rglob("*") if ".hydra" not in path.parts]
    assert {path.suffix for path in written} >= {".parquet", ".json", ".log", ".html"}
    modes = {path.stat().st_mode & 0o777 for path in written if path.is_file()}
    assert modes == {file_mode}, [path for path in written if path.is_file() and path.stat().st_mode & 0o077]
    assert {path.stat().st_mode & 0o777 for path in written if path.is_dir()} == {folder_mode}
