"""Classes of a hierarchy: leaves such as ``negative / late flight``, and their parents."""

from __future__ import annotations

from collections.abc import Sequence


class Leaves(list[str]):
    """Classes of a hierarchy; in an ordinary list of classes, slashes in names have no meaning."""


def roll_up(classes: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Return the parents of the classes in order of occurrence, each with the indices of its classes.

    A class without levels is its own parent, and so is every class without a hierarchy.

    Examples
    --------
    >>> roll_up(Leaves(["negative / late", "negative / lost", "positive"]))
    [('negative', [0, 1]), ('positive', [2])]
    >>> roll_up(["Audio / Video", "Audio / Cables"])
    [('Audio / Video', [0]), ('Audio / Cables', [1])]
    """
    parents: dict[str, list[int]] = {}
    for index, name in enumerate(classes):
        parent = name.partition(" / ")[0] if isinstance(classes, Leaves) else name
        parents.setdefault(parent, []).append(index)
    return list(parents.items())
