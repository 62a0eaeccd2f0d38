"""How a model does on parts of the hold-out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batch_nlp.fields import Fields
from batch_nlp.metrics.bootstrap import with_intervals
from batch_nlp.metrics.confusion import confusion_matrix

# Messages under which the figures of a slice say little
SMALL = 30
# Categories that slices are made of, and the values of each that are slices of their own
MOST_CATEGORIES, MOST_VALUES = 3, 10
NOT_KNOWN, THE_REST = "not known", "all others"
# The same for every model, so that two cards can be compared
_LENGTHS = {"up to 25 words": 25, "26 to 50 words": 50, "51 to 100 words": 100, "101 to 200 words": 200}
_LONGEST = "over 200 words"


def slice_metrics(
    rows: pd.DataFrame,
    fields: Fields,
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
    n_classes: int,
    seed: int,
) -> dict[str, list[dict[str, Any]]]:
    """Return metrics by the first categories, by length where words are counted, and by year where times are known.

    Parameters
    ----------
    rows : DataFrame, shape (n, ...)
        Held-out messages as rows of the feature store.
    truth, predicted : ndarray of int, shape (n,)

    Returns
    -------
    dict of list of dict
        For each way to slice, the slices: ``name``, ``messages``, ``small`` (under `SMALL` messages), and
        ``f1_macro`` and ``accuracy``, with intervals where it is not small.
    """
    ways = {name: _values(rows[name]) for name in fields.categories[:MOST_CATEGORIES]}
    if "word_count" in fields.numbers:
        ways["length"] = _lengths(rows["word_count"]), [*_LENGTHS, _LONGEST]
    if rows["written_at"].notna().any():
        years = rows["written_at"].dt.strftime("%Y").fillna(NOT_KNOWN)
        ways["year"] = years, sorted(years.unique())
    return {
        way: [
            _slice(name, truth[part], predicted[part], n_classes, seed)
            for name in names
            if (part := (values == name).to_numpy()).any()
        ]
        for way, (values, names) in ways.items()
    }


def _values(category: pd.Series[Any]) -> tuple[pd.Series[Any], list[str]]:
    """Return the slice of each message, and the slices, the largest first and the rest last."""
    values = category.fillna(NOT_KNOWN).astype(str)
    sizes = {str(name): int(size) for name, size in values.value_counts().items()}
    names = sorted(sizes, key=lambda name: (-sizes[name], name))[:MOST_VALUES]
    return values.where(values.isin(names), THE_REST), [*names, THE_REST]


def _lengths(words: pd.Series[float]) -> pd.Series[Any]:
    bins = [-np.inf, *_LENGTHS.values(), np.inf]
    return pd.cut(words, bins, labels=[*_LENGTHS, _LONGEST]).astype(str)


def _slice(
    name: str, truth: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int, seed: int
) -> dict[str, Any]:
    found, small = with_intervals(confusion_matrix(truth, predicted, n_classes), seed), len(truth) < SMALL
    # of a few messages, all of them right, the bootstrap says that nothing else could have been found
    unknown = {"low": None, "high": None} if small else {}
    return {
        "name": name,
        "messages": len(truth),
        "small": small,
        **{metric: {**found[metric], **unknown} for metric in ("f1_macro", "accuracy")},
    }
