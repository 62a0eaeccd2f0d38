"""Loads models from their folders, if this installation can run them.

``python -m batch_nlp.storage.model_folder FOLDER`` checks a model in a process without the training's memory.
"""

from __future__ import annotations

import sys
import warnings
from functools import cache
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from loguru import logger

from batch_nlp.errors import BatchNlpError, DataError
from batch_nlp.storage.manifest import CHECK_FILE, MODEL_FILE, read_manifest
from batch_nlp.storage.model_code import cannot_run, other_code, other_libraries
from batch_nlp.storage.model_file import load_model

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def open_model(folder: Path, manifest: dict[str, Any]) -> Pipeline:
    """Load the pipeline of a folder whose files `read_manifest` has checked, and try it on its check rows.

    Versions do not tell everything: a type can change without a new version, and a library in a patch release. Raises a
    `DataError` if the model needs other versions of our code, cannot be loaded, fails, or predicts differently than
    after training.
    """
    check_code(folder.name, manifest)
    try:
        pipeline = load_model(folder / MODEL_FILE)
        _check_predictions(folder, pipeline)
    except DataError as error:
        raise cannot_run(folder.name, manifest, str(error).rstrip(".")) from error
    if libraries := other_libraries(manifest):
        _warn_once(
            f"{folder.name} was trained with {', '.join(libraries)}. It is used, since it gives its stored predictions."
        )
    return pipeline


def _check_predictions(folder: Path, pipeline: Pipeline) -> None:
    """Predict the check rows of a model's folder.

    Raises a `DataError` if that fails, or if a probability differs by more than 1e-4 from the stored one: a network
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
    except MemoryError:  # says nothing about the model
        raise
    except Exception as error:  # code of another version can fail in any way
        said = shorten(f"{type(error).__name__}: {error}", 200)
        raise DataError(f"It fails on {CHECK_FILE} ({said})") from error
    if found.shape != expected.shape or not np.allclose(found, expected, rtol=0, atol=1e-4):
        raise DataError(f"It does not reproduce the predictions in {CHECK_FILE}")


def check_code(version: str, manifest: dict[str, Any]) -> None:
    """Raise a `DataError` if a model needs other versions of our code."""
    if "fields" not in manifest:
        raise cannot_run(version, manifest, "It was trained by a release that described features differently")
    if differs := other_code(manifest, "model"):
        raise cannot_run(version, manifest, f"It needs {', '.join(differs)}")


@cache
def _warn_once(line: str) -> None:
    logger.warning("{}", line)


def check_model(folder: Path) -> None:
    """Load the model of a folder and predict its check rows; raise a `DataError` if that fails."""
    open_model(folder, read_manifest(folder))


if __name__ == "__main__":
    try:
        check_model(Path(sys.argv[1]))
    except BatchNlpError as error:
        sys.exit(str(error))
