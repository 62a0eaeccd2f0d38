"""How a model does on parts of the hold-out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batch_nlp.training.intervals import with_intervals

# Messages under which the figures of a slice say little
SMALL = 30
# The same for every model, so that two cards can be compared
_LENGTHS = {"up to 25 words": 25, "26 to 50 words": 50, "51 to 100 words": 100, "101 to 200 words": 200}
_LONGEST = "over 200 words"


def slice_metrics(
    rows: pd.DataFrame, truth: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int, seed: int
) -> dict[str, list[dict[str, Any]]]:
    """Return metrics by category group, length and year.

    Parameters
    ----------
    rows : DataFrame, shape (n, ...)
        Held-out messages as rows of the feature store.
    truth, predicted : ndarray of int, shape (n,)
    n_classes : int
    seed : int
        Seed of the intervals.

    Returns
    -------
    dict of list of dict
        For each way to slice, the slices: ``name``, ``messages``, ``small`` (under `SMALL` messages), and
        ``f1_macro`` and ``accuracy``, with intervals where it is not small.
    """
    groups = rows["category_group"].fillna("no business known").astype(str)
    sizes = {str(name): int(size) for name, size in groups.value_counts().items()}
    years = rows["written_at"].dt.year.astype(str)
    ways: dict[str, tuple[pd.Series[Any], list[str]]] = {
        "category group": (groups, sorted(sizes, key=lambda name: (-sizes[name], name))),
        "length": (_lengths(rows["word_count"]), [*_LENGTHS, _LONGEST]),
        "year": (years, sorted(years.unique())),
    }
    return {
        way: [
            _slice(name, truth[part], predicted[part], n_classes, seed)
            for name in names
            if (part := (values == name).to_numpy()).any()
        ]
        for way, (values, names) in ways.items()
    }


def _lengths(words: pd.Series[float]) -> pd.Series[Any]:
    bins = [-np.inf, *_LENGTHS.values(), np.inf]
    return pd.cut(words, bins, labels=[*_LENGTHS, _LONGEST]).astype(str)


def _slice(
    name: str, truth: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int, seed: int
) -> dict[str, Any]:
    cells = np.bincount(truth * n_classes + predicted, minlength=n_classes**2)
    found, small = with_intervals(cells.reshape(n_classes, n_classes), seed), len(truth) < SMALL
    # of a few messages, all of them right, the bootstrap says that nothing else could have been found
    unknown = {"low": None, "high": None} if small else {}
    return {
        "name": name,
        "messages": len(truth),
        "small": small,
        **{metric: {**found[metric], **unknown} for metric in ("f1_macro", "accuracy")},
    }
