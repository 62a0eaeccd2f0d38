"""Checks that a model on disk predicts what it predicted when it was trained.

Run as ``python -m batch_nlp.storage.check_model FOLDER``, in a process that has nothing of the training's memory.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from batch_nlp.errors import BatchNlpError, DataError
from batch_nlp.storage.feature_store import features_frame
from batch_nlp.storage.model_file import load_model
from batch_nlp.storage.registry import CHECK_FILE, MODEL_FILE, read_manifest


def check_model(folder: Path) -> None:
    """Load the model of a folder and predict its check rows.

    A `DataError` says that a file is damaged, or that a probability differs by more than 1e-4 from the stored one: a
    network that was trained on a GPU need not agree to the last digit on a CPU.
    """
    read_manifest(folder)
    table = pq.read_table(folder / CHECK_FILE, page_checksum_verification=True)
    expected = np.array(table["probabilities"].to_pylist())
    rows = features_frame(table.drop_columns(["probabilities"]))
    found = load_model(folder / MODEL_FILE).predict_proba(rows)
    if found.shape != expected.shape or not np.allclose(found, expected, rtol=0, atol=1e-4):
        raise DataError(f"{folder}: does not reproduce the predictions in {CHECK_FILE}.")


if __name__ == "__main__":
    try:
        check_model(Path(sys.argv[1]))
    except BatchNlpError as error:
        sys.exit(str(error))
