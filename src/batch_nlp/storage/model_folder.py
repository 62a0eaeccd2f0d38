"""Models from their folders: only those that this installation can run."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from loguru import logger

from batch_nlp.errors import DataError
from batch_nlp.storage.manifest import CHECK_FILE, MODEL_FILE, read_manifest
from batch_nlp.storage.model_code import cannot_run, other_code, other_libraries
from batch_nlp.storage.model_file import load_model

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def check_runs(folder: Path) -> dict[str, Any]:
    """Return the manifest of a model that this installation can run.

    Where our own code and the libraries are those that trained it, they tell; otherwise the model is loaded and tried.

    Raises
    ------
    DataError
        If a file is damaged, or the model cannot be run.
    """
    manifest = read_manifest(folder)
    if _must_be_tried(manifest):
        open_model(folder, manifest)
    else:
        _check_code(folder.name, manifest)
    return manifest


def open_model(folder: Path, manifest: dict[str, Any]) -> Pipeline:
    """Load the pipeline of a folder whose files `read_manifest` has checked.

    Raises
    ------
    DataError
        If it needs other code of ours, or cannot be loaded, or with the installed libraries predicts otherwise.
    """
    _check_code(folder.name, manifest)
    try:
        pipeline = load_model(folder / MODEL_FILE)
        if _must_be_tried(manifest):
            check_predictions(folder, pipeline)
    except DataError as error:
        raise cannot_run(folder.name, manifest, str(error).rstrip(".")) from error
    if libraries := other_libraries(manifest):
        _warn_once(
            f"{folder.name} was trained with {', '.join(libraries)}. It gives its stored predictions, so it is used."
        )
    return pipeline


def check_predictions(folder: Path, pipeline: Pipeline) -> None:
    """Predict the check rows of a model's folder.

    A `DataError` says that it fails, or that a probability differs by more than 1e-4 from the stored one: a network
    that was trained on a GPU need not agree to the last digit on a CPU.
    """
    import numpy as np
    import pyarrow.parquet as pq

    from batch_nlp.storage.feature_store import features_frame

    try:
        table = pq.read_table(folder / CHECK_FILE, page_checksum_verification=True)
        expected = np.array(table["probabilities"].to_pylist())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = pipeline.predict_proba(features_frame(table.drop_columns(["probabilities"])))
    except Exception as error:  # code of another version can fail in any way
        said = shorten(f"{type(error).__name__}: {error}", 200)
        raise DataError(f"{folder}: fails on {CHECK_FILE} ({said}).") from error
    if found.shape != expected.shape or not np.allclose(found, expected, rtol=0, atol=1e-4):
        raise DataError(f"{folder}: does not reproduce the predictions in {CHECK_FILE}.")


def _must_be_tried(manifest: dict[str, Any]) -> bool:
    return "code" not in manifest or bool(other_libraries(manifest))


def _check_code(version: str, manifest: dict[str, Any]) -> None:
    if "fields" not in manifest:
        raise cannot_run(version, manifest, "It was trained by a release that described features otherwise")
    if differs := other_code(manifest, "model"):
        raise cannot_run(version, manifest, f"It needs {', '.join(differs)}")


@cache
def _warn_once(line: str) -> None:
    logger.warning("{}", line)
