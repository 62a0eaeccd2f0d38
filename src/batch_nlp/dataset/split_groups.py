"""Groups of messages that stay on one side of a split, and the draw of those that are held out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Codes = NDArray[np.int64]


def codes(values: pd.Series[str]) -> Codes:
    """Number the different values; what is missing equals nothing."""
    found, different = pd.factorize(values)
    missing = found < 0
    found[missing] = len(different) + np.arange(missing.sum())
    return found.astype(np.int64)


def components(texts: Codes, groups: Codes) -> Codes:
    """Number the groups of messages that have a group or a text in common, be it by way of others."""
    # late: settings are checked against this module, long before anything is trained
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    size = int(texts.max(initial=-1) + groups.max(initial=-1)) + 2
    edges = coo_matrix((np.ones(len(texts), bool), (texts, texts.max(initial=-1) + 1 + groups)), shape=(size, size))
    return np.asarray(connected_components(edges, directed=False)[1][texts], dtype=np.int64)


def draw(groups: Codes, classes: Codes, holdout: float, seed: int) -> Codes:
    """Draw groups that hold about a share of the messages of each class.

    Groups come in random order. One is taken if its messages still fit into what its first message's class needs; if
    too few fit, the smallest ones go on until the share is met.
    """
    names, first, sizes = np.unique(groups, return_index=True, return_counts=True)
    kinds = classes[first]
    of_kind = np.bincount(kinds, weights=sizes)
    # rounded in sum, so that many small classes do not add up to another share
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
