"""Fixtures of the fault tests: how much of them runs, forked runs, and a small project."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.fault.forks import Forks
from tests.fault.state import SMALL
from tests.projects import Project

FIGURES = "figure of a guarantee"


@dataclass(frozen=True)
class Extent:
    """How much of the fault tests is run; `make test-fault` asks for what the guarantees quote.

    Parameters
    ----------
    kills : int
        Runs to kill at random, over all pipelines.
    steps : int
        Steps of each pipeline at which a run is killed; 0 takes all.
    pairs : int
        Pairs of runs that start at once.
    soak : int
        Batches of the soak.
    """

    kills: int = int(os.environ.get("BATCH_NLP_KILLS", "5"))
    steps: int = int(os.environ.get("BATCH_NLP_STEPS", "1"))
    pairs: int = int(os.environ.get("BATCH_NLP_PAIRS", "2"))
    soak: int = int(os.environ.get("BATCH_NLP_SOAK", "5"))


@pytest.fixture(scope="session")
def extent() -> Extent:
    """Return how much is run."""
    return Extent()


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Return a function that prints a figure, at once (``-s``) and at the end of a run of the fault tests alone."""

    def note(text: str) -> None:
        print(text)
        record_property(FIGURES, text)

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures of all tests, also those that other processes ran."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    figures = [text for report in reports for name, text in report.user_properties if name == FIGURES]
    if figures:
        terminalreporter.section("figures")
    for text in figures:
        terminalreporter.line(text)


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """Return what starts runs in processes of their own, at once."""
    with Forks(tmp_path_factory.mktemp("forks")) as started:
        yield started


@pytest.fixture(scope="session")
def small_project(
    once: Callable[[str, Callable[[Path], None]], Path], forks: Forks, new_project: Callable[[Path], Project]
) -> Project:
    """Return a project with two versions of a model, and a batch and labels that wait; nobody writes to it."""

    def make(folder: Path) -> None:
        project = new_project(folder / "project")
        for arguments in (
            (),
            ("pipeline=training", "training.force=true", "seed=1"),
            ("pipeline=sample", "sample.part=labels"),
            ("pipeline=sample", "sample.part=batch"),
        ):
            ended = forks.run(project, *SMALL, *arguments, quick_check=True)
            assert ended.code == 0, ended.err

    return Project(once("small_project", make) / "project")


@pytest.fixture
def copy(tmp_path: Path, small_project: Project) -> Callable[[str], Project]:
    """Return a function that makes a copy of the small project under a name."""

    def make(name: str) -> Project:
        shutil.copytree(small_project.folder, tmp_path / name, symlinks=True)
        return Project(tmp_path / name)

    return make
