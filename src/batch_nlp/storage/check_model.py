"""Checks that a model on disk gives the same predictions as when it was trained.

Run as ``python -m batch_nlp.storage.check_model FOLDER``, in a process without the training's memory.
"""

from __future__ import annotations

import sys
from pathlib import Path

from batch_nlp.errors import BatchNlpError
from batch_nlp.storage.manifest import read_manifest
from batch_nlp.storage.model_folder import open_model


def check_model(folder: Path) -> None:
    """Load the model of a folder and predict its check rows; raise a `DataError` if that fails."""
    open_model(folder, read_manifest(folder))


if __name__ == "__main__":
    try:
        check_model(Path(sys.argv[1]))
    except BatchNlpError as error:
        sys.exit(str(error))
