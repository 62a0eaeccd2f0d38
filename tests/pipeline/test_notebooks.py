"""The notebooks run on a small sample, and are committed without outputs."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from tests.projects import LIGHT, Project

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_all_four_are_there() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["1_exploration", "2_features", "3_model", "4_drift"]


def run_notebook(path: Path, project: Project) -> nbformat.NotebookNode:
    """Run a notebook on a project; CellExecutionError has the cell and its traceback."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=80, resources={"metadata": {"path": str(path.parent)}})
    folders = {"BATCH_NLP_DATA": str(project.data), "BATCH_NLP_MODELS": str(project.models)}
    with client.setup_kernel(env={**os.environ, **folders}):
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
    return notebook


LONG = [NOTEBOOKS[0], *(pytest.param(path, marks=pytest.mark.long) for path in NOTEBOOKS[1:])]


@pytest.mark.parametrize("path", LONG, ids=[path.stem for path in NOTEBOOKS])
def test_runs_without_an_error(path: Path, project: Project) -> None:
    notebook = run_notebook(path, project)
    assert all(cell.outputs for cell in notebook.cells if cell.cell_type == "code")


@pytest.mark.long
@pytest.mark.parametrize("dataset", ["airline_tweets"])
def test_runs_on_messages_of_other_sources(dataset: str, tmp_path: Path) -> None:
    """Leaves of a hierarchy, and nothing of what only reviews have."""
    project = Project(tmp_path)
    raw = project.data / "01_raw" / dataset
    assert project.here("pipeline=sample", f"dataset={dataset}", f"dataset.raw_dir={raw}").returncode == 0
    made = project.here(f"dataset={dataset}", f"dataset.raw_dir={raw}", *LIGHT)
    assert made.returncode == 0, made.stderr
    for path in NOTEBOOKS:
        run_notebook(path, project)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_committed_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert [(cell.outputs, cell.execution_count) for cell in code] == [([], None)] * len(code)
