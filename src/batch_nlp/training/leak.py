"""Label leaks: which columns give a model that is hardly ever wrong the answer."""

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

# Macro F1 that texts alone hardly ever reach, fewest messages to judge by, and the smallest drop that matters
_SUSPICIOUS, _ENOUGH, _FALLS = 0.99, 200, 0.02


def fields_of_source(dataset: DatasetConfig) -> list[str]:
    """Return the fields that are columns of the source, without the text."""
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
    """Return the columns that make a model almost always right; None where it is not, or there are too few messages.

    Parameters
    ----------
    classifier : TunedClassifier
        Fitted.
    encoded : DataFrame, shape (n, n_features)
        The classifier's input for held-out messages.
    truth : ndarray of int, shape (n,)
        Classes of the held-out messages.
    fields : Fields
        The fields that the input was made from.
    columns : sequence of str
        The fields that are columns of the source, without the text.
    f1_macro : float
        Macro F1 on these messages.

    Returns
    -------
    dict or None
        ``columns``: those whose shuffling lowers macro F1, the largest drop first; all of them where only shuffling
        all together lowers it; none where the text is the cause. ``drop``: the drop when all are shuffled.
    """
    if len(truth) < _ENOUGH or f1_macro < _SUSPICIOUS:
        return None

    def falls(names: Sequence[str]) -> float:
        return fall_of_f1(classifier, encoded, truth, fields, names, seed)

    together = falls(columns) if columns else 0.0
    alone = {name: falls([name]) for name in columns} if together >= _FALLS else {}
    named = sorted((name for name in alone if alone[name] >= _FALLS), key=lambda name: -alone[name])
    return {"columns": named or list(alone), "drop": together}
