"""Fixtures that several tests of the command line share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.projects import Project


@pytest.fixture
def empty_project(tmp_path: Path, new_project: Callable[[Path], Project]) -> Project:
    """Return a project without data, but for an empty folder of raw files of the dataset yelp."""
    project = new_project(tmp_path / "project")
    project.raw.mkdir(parents=True)
    return project


@pytest.fixture(autouse=True)
def _no_charts(batches_without_charts: None) -> None:
    """Save the time that drawing takes: no test of the command line looks at the charts of a batch."""
