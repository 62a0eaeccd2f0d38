"""A project folder that has run once, and ways to call the command line on a copy of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from batch_nlp.cli import PROJECT_ROOT

# a small sample and a quick model: what is shown here is how the parts work together, not how good a model can be
QUICK = (
    "sample.messages=1500",
    "sample.batch_messages=300",
    "model.params.n_estimators=40",
    "training.thresholds.f1_macro=0.4",
    "training.thresholds.recall=0.1",
    "engine.threads=1",
)


@dataclass(frozen=True)
class Project:
    """Data and models in a folder of their own, and the command line on them."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def models(self) -> Path:
        return self.folder / "models"

    def arguments(self, *overrides: str) -> list[str]:
        return [f"paths.data={self.data}", f"paths.models={self.models}", *QUICK, *overrides]

    def run(self, *overrides: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the real command line in a process of its own."""
        command = [sys.executable, str(PROJECT_ROOT / "start_batch_nlp.py"), *self.arguments(*overrides)]
        environment = {**os.environ, "COLUMNS": "160"}
        return subprocess.run(
            command, cwd=cwd or self.folder, capture_output=True, text=True, env=environment, check=False
        )


@pytest.fixture(scope="session")
def new_project(embedding_cache: Path) -> Callable[[Path], Project]:
    """Return a function that makes an empty project folder; the distilled table, which takes long, is at hand."""

    def make(folder: Path) -> Project:
        cache = folder / "data" / "04_feature" / "embedding_cache"
        cache.mkdir(parents=True)
        for table in embedding_cache.glob("*.safetensors"):
            (cache / table.name).symlink_to(table)
        return Project(folder)

    return make


@pytest.fixture(scope="session")
def first_run(
    tmp_path_factory: pytest.TempPathFactory, new_project: Callable[[Path], Project]
) -> tuple[Project, subprocess.CompletedProcess[str]]:
    """Return a project after its first run of the whole job, and what that run printed; nobody writes to it."""
    project = new_project(tmp_path_factory.mktemp("first_run"))
    return project, project.run()


@pytest.fixture
def project(tmp_path: Path, first_run: tuple[Project, subprocess.CompletedProcess[str]]) -> Project:
    """Return a copy of the project after its first run."""
    shutil.copytree(first_run[0].folder, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")
