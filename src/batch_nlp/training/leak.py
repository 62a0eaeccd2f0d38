"""Whether a model that is hardly ever wrong was given the answer, and by which columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batch_nlp.config import DatasetConfig
from batch_nlp.dataset.message_columns import joins
from batch_nlp.fields import TEXT, Fields
from batch_nlp.steps.extract import Extract
from batch_nlp.training.importance import fall_of_f1
from batch_nlp.training.tuned_classifier import TunedClassifier

# Macro F1 that texts hardly ever allow, messages that it takes to say so, and its fall that matters
_SUSPICIOUS, _ENOUGH, _FALLS = 0.99, 200, 0.02


def fields_of_source(dataset: DatasetConfig) -> list[str]:
    """Return the fields that are columns of a source beside the text."""
    columns = dataset.messages.columns
    return [
        found.name for found in Extract(columns, joins(columns, dataset.side_tables)).fields() if found.name != TEXT
    ]


def suspected_leak(
    classifier: TunedClassifier,
    encoded: pd.DataFrame,
    truth: NDArray[np.int64],
    fields: Fields,
    columns: Sequence[str],
    f1_macro: float,
    seed: int,
) -> dict[str, Any] | None:
    """Return what makes a model almost always right; None where it is not, or too few messages say so.

    Parameters
    ----------
    classifier : TunedClassifier
        Fitted.
    encoded : DataFrame, shape (n, n_features)
        What it is given of held-out messages.
    truth : ndarray of int, shape (n,)
        Their classes.
    fields : Fields
        What they were made of.
    columns : sequence of str
        The fields that are columns of the source beside the text.
    f1_macro : float
        On these messages.

    Returns
    -------
    dict or None
        ``columns`` without which macro F1 falls, those first that it falls most without: each by itself, or else all
        of them together; empty where it is the text. ``drop`` is the fall without all of them.
    """
    if len(truth) < _ENOUGH or f1_macro < _SUSPICIOUS:
        return None

    def falls(names: Sequence[str]) -> float:
        return fall_of_f1(classifier, encoded, truth, fields, names, seed)

    together = falls(columns) if columns else 0.0
    alone = {name: falls([name]) for name in columns} if together >= _FALLS else {}
    named = sorted((name for name in alone if alone[name] >= _FALLS), key=lambda name: -alone[name])
    return {"columns": named or list(alone), "drop": together}
