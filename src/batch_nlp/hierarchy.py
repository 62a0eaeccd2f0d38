"""Classes of a hierarchy: leaves, whose names are the labels of all levels in one."""

from __future__ import annotations

from collections.abc import Sequence

SEPARATOR = " / "


def roll_up(classes: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Return the parents of a hierarchy's leaves, each with the indices of its leaves.

    The parent of a leaf is its first level. Empty where that makes no groups: without a hierarchy, each class is alone.

    Examples
    --------
    >>> roll_up(["negative / Bad Flight", "negative / Late Flight", "positive"])
    [('negative', [0, 1]), ('positive', [2])]
    >>> roll_up(["bug", "question / other"])
    []
    """
    parents: dict[str, list[int]] = {}
    for index, name in enumerate(classes):
        parents.setdefault(name.partition(SEPARATOR)[0], []).append(index)
    return list(parents.items()) if 1 < len(parents) < len(classes) else []
