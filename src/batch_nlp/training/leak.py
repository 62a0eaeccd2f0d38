"""Label leaks: which columns give the answer to a model that is hardly ever wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from batch_nlp.config import DatasetConfig
from batch_nlp.dataset.message_columns import joins
from batch_nlp.fields import TEXT
from batch_nlp.steps.extract import Extract
from batch_nlp.training.candidate import Candidate
from batch_nlp.training.importance import Shuffling, column_groups

# Macro F1 that texts alone hardly ever reach, fewest messages to judge by, and the smallest drop that matters
_SUSPICIOUS, _ENOUGH, _FALLS = 0.99, 200, 0.02


def fields_of_source(dataset: DatasetConfig) -> list[str]:
    """Return the fields that are columns of the source, without the text."""
    columns = dataset.messages.columns
    return [
        found.name for found in Extract(columns, joins(columns, dataset.side_tables)).fields() if found.name != TEXT
    ]


def suspected_leak(candidate: Candidate, columns: Sequence[str], seed: int) -> dict[str, Any] | None:
    """Return the columns that make a model almost always right; None where it is not, or there are too few messages.

    ``columns`` are those of the `fields_of_source` whose shuffling lowers macro F1, the largest drop first; all of
    them where only shuffling all together lowers it; none where the text is the cause. ``drop`` is the drop when all
    are shuffled.
    """
    if len(candidate.truth) < _ENOUGH or candidate.validation.metric("f1_macro") < _SUSPICIOUS:
        return None
    shuffling = Shuffling(candidate, seed)
    groups = column_groups(candidate.encoded.columns, candidate.fields)

    def falls(*names: str) -> float:
        return float(np.mean(shuffling.drops([column for name in names for column in groups.get(name, ())])))

    together = falls(*columns) if columns else 0.0
    alone = {name: falls(name) for name in columns} if together >= _FALLS else {}
    named = sorted((name for name in alone if alone[name] >= _FALLS), key=lambda name: -alone[name])
    return {"columns": named or list(alone), "drop": together}
