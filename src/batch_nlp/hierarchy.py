"""Classes of a hierarchy: leaves such as ``negative / late flight``, and the parents that they roll up to."""

from __future__ import annotations

from collections.abc import Sequence


def roll_up(classes: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Return the parents of some classes, in the order in which they occur, each with the indices of its classes.

    A class without levels is its own parent.

    Examples
    --------
    >>> roll_up(["negative / late", "negative / lost", "positive"])
    [('negative', [0, 1]), ('positive', [2])]
    """
    parents: dict[str, list[int]] = {}
    for index, name in enumerate(classes):
        parents.setdefault(name.partition(" / ")[0], []).append(index)
    return list(parents.items())
