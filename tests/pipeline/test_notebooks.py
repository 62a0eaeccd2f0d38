"""The notebooks run on a small sample, and are committed without outputs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# one worker makes the data once
pytestmark = pytest.mark.xdist_group("notebooks")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory, embedding_cache: Path) -> dict[str, str]:
    """Run the whole job once; return the environment that points the notebooks at its folders."""
    folder = tmp_path_factory.mktemp("notebooks")
    data, models = folder / "data", folder / "models"
    shutil.copytree(embedding_cache, data / "04_feature" / "embedding_cache")
    command = [sys.executable, str(ROOT / "start_batch_nlp.py"), "sample.messages=1500"]
    result = subprocess.run(
        [*command, f"paths.data={data}", f"paths.models={models}"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return {"BATCH_NLP_DATA": str(data), "BATCH_NLP_MODELS": str(models)}


def test_all_four_are_there() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["1_exploration", "2_features", "3_model", "4_drift"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_without_an_error(path: Path, sample: dict[str, str]) -> None:
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=80, resources={"metadata": {"path": str(path.parent)}})
    with client.setup_kernel(env={**os.environ, **sample}):
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)  # raises CellExecutionError with the cell and its traceback
    assert all(cell.outputs for cell in notebook.cells if cell.cell_type == "code")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_committed_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert [(cell.outputs, cell.execution_count) for cell in code] == [([], None)] * len(code)
