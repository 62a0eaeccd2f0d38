"""Group messages that must stay on one side of a split, and sample the groups to hold out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Codes = NDArray[np.int64]


def codes(values: pd.Series[str]) -> Codes:
    """Number the distinct values; each missing value gets its own number."""
    found, different = pd.factorize(values)
    missing = found < 0
    found[missing] = len(different) + np.arange(missing.sum())
    return found.astype(np.int64)


def components(texts: Codes, groups: Codes) -> Codes:
    """Number the connected components of messages that share a group or a text."""
    # imported late: the check of the settings imports this module
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    size = int(texts.max(initial=-1) + groups.max(initial=-1)) + 2
    edges = coo_matrix((np.ones(len(texts), bool), (texts, texts.max(initial=-1) + 1 + groups)), shape=(size, size))
    return np.asarray(connected_components(edges, directed=False)[1][texts], dtype=np.int64)


def draw(groups: Codes, classes: Codes, holdout: float, seed: int) -> Codes:
    """Sample groups that contain about the share `holdout` of the messages of each class.

    Groups come in random order. A group is taken if it still fits into the share of its first message's class. If too
    few fit, the smallest groups are added until the share is reached.
    """
    names, first, sizes = np.unique(groups, return_index=True, return_counts=True)
    kinds = classes[first]
    of_kind = np.bincount(kinds, weights=sizes)
    # rounded cumulatively, so that many small classes do not change the total share
    wanted = np.diff(np.rint(holdout * np.cumsum(of_kind)), prepend=0)
    wanted = np.where(of_kind > 0, np.maximum(wanted, 1), 0)
    order = np.random.default_rng(seed).permutation(len(names))
    left, taken = wanted.tolist(), np.zeros(len(names), bool)
    for group, kind, size in zip(order.tolist(), kinds[order].tolist(), sizes[order].tolist(), strict=True):
        if size <= left[kind]:
            left[kind] -= size
            taken[group] = True
    short = float(wanted.sum() - sizes[taken].sum())
    rest = order[~taken[order]]
    for group in rest[np.argsort(sizes[rest], kind="stable")]:
        if sizes[group] / 2 > short and taken.any():
            break
        short -= float(sizes[group])
        taken[group] = True
    return names[taken]
