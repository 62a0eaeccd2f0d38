"""What runs write into the project's folder stays out of its repository."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.conftest import ROOT


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_folders_that_init_suggests_are_ignored_and_those_of_the_project_are_not(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".gitignore", tmp_path)
    ignored = [
        "complaints/data/03_primary/a.parquet",
        "complaints/models/v0001/model.skops",
        "models/v0001/model.skops",
    ]
    kept = [
        "tests/data/state.tar.xz",
        "src/batch_nlp/storage/raw/batches.py",
        "tests/model/test_a.py",
        "models/README.md",
    ]
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    command = ["git", "check-ignore", "--no-index", *ignored, *kept]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert found.splitlines() == ignored
