"""Checks before a model is fine-tuned, so that nobody waits an hour for an error."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batch_nlp.errors import DataError, SettingsError


def require_extra() -> None:
    """Raise a SettingsError that says how to install the libraries for fine-tuning, if one is missing."""
    try:
        for name in ("torch", "transformers", "accelerate"):
            import_module(name)
    except ImportError as error:
        raise SettingsError(
            f"model=transformer cannot be used ({error}). Install it: `uv sync --extra transformers` for a GPU; for a "
            "CPU `uv pip install torch transformers accelerate --torch-backend=cpu`."
        ) from error


def check_class_counts(classes: NDArray[Any], labels: NDArray[np.int64], cut: int) -> None:
    """Check that each class occurs among the training rows and at least twice among the validation rows.

    Parameters
    ----------
    classes : ndarray, shape (k,)
    labels : ndarray of int64, shape (n,)
        Position of each row's class.
    cut : int
        Number of training rows; the validation rows follow them.
    """
    if len(classes) < 2:
        raise DataError(f"Fine-tuning needs messages of two classes; there are {len(labels):,} of {len(classes)}.")
    for least, rows, part in ((1, labels[:cut], "to learn from"), (2, labels[cut:], "for validation, the newest")):
        counts = np.bincount(rows, minlength=len(classes))
        short = [f"class {name} has {count}" for name, count in zip(classes, counts, strict=True) if count < least]
        if short:
            raise DataError(
                f"Each class needs at least {least} of the {len(rows):,} messages {part}; {', '.join(short)}. "
                "Add labelled messages, or change model.params.validation_share."
            )
