"""Metrics on slices of the hold-out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batch_nlp.metrics.bootstrap import with_intervals
from batch_nlp.metrics.confusion import confusion_matrix
from batch_nlp.training.candidate import Candidate

# A slice with fewer messages is marked as small
SMALL = 30
# Most categories to slice by, and most values of each that get a slice
MOST_CATEGORIES, MOST_VALUES = 3, 10
NOT_KNOWN, THE_REST = "not known", "all others"
# Fixed, so that the cards of two models can be compared
_LENGTHS = {"up to 25 words": 25, "26 to 50 words": 50, "51 to 100 words": 100, "101 to 200 words": 200}
_LONGEST = "over 200 words"


def slice_metrics(candidate: Candidate, seed: int) -> dict[str, list[dict[str, Any]]]:
    """Return metrics on the hold-out by the first categories, by length (if words are counted) and by year (if known).

    Returns
    -------
    dict of list of dict
        For each way to slice, its slices: ``name``, ``messages``, ``small`` (fewer than `SMALL` messages), and
        ``f1_macro`` and ``accuracy``, with intervals unless the slice is small.
    """
    rows, fields, k = candidate.rows, candidate.fields, len(candidate.outcomes)
    ways = {name: _values(rows[name]) for name in fields.categories[:MOST_CATEGORIES]}
    if "word_count" in fields.numbers:
        ways["length"] = _lengths(rows["word_count"]), [*_LENGTHS, _LONGEST]
    if rows["written_at"].notna().any():
        years = rows["written_at"].dt.strftime("%Y").fillna(NOT_KNOWN)
        ways["year"] = years, sorted(years.unique())
    return {
        way: [
            _slice(name, confusion_matrix(candidate.truth[part], candidate.predicted[part], k), seed)
            for name in names
            if (part := (values == name).to_numpy()).any()
        ]
        for way, (values, names) in ways.items()
    }


def _values(category: pd.Series[Any]) -> tuple[pd.Series[Any], list[str]]:
    """Return the slice of each message, and the names of the slices: the largest first, the rest last."""
    values = category.fillna(NOT_KNOWN).astype(str)
    sizes = {str(name): int(size) for name, size in values.value_counts().items()}
    names = sorted(sizes, key=lambda name: (-sizes[name], name))[:MOST_VALUES]
    return values.where(values.isin(names), THE_REST), [*names, THE_REST]


def _lengths(words: pd.Series[float]) -> pd.Series[Any]:
    bins = [-np.inf, *_LENGTHS.values(), np.inf]
    return pd.cut(words, bins, labels=[*_LENGTHS, _LONGEST]).astype(str)


def _slice(name: str, confusion: NDArray[np.int64], seed: int) -> dict[str, Any]:
    found, messages = with_intervals(confusion, seed), int(confusion.sum())
    # for a few messages that are all right, the bootstrap would give an interval of no width
    unknown = {"low": None, "high": None} if messages < SMALL else {}
    metrics = {metric: {**found[metric], **unknown} for metric in ("f1_macro", "accuracy")}
    return {"name": name, "messages": messages, "small": messages < SMALL, **metrics}
