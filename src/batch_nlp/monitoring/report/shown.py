"""Which of many classes a report shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from batch_nlp.monitoring.band import parents_of

# Rows of a table of classes
MOST_ROWS = 20


def most_telling(shares: Sequence[Mapping[str, Any]], most: int = MOST_ROWS) -> list[Mapping[str, Any]]:
    """Return the classes to show: all, or of more than `most` those that are out first, and then the largest.

    Parameters
    ----------
    shares : sequence of mappings
        ``ClassShare`` as dicts.
    most : int
    """
    if len(shares) <= most:
        return list(shares)
    return sorted(shares, key=lambda share: (not share["out"], -share["share"]))[:most]


def with_parents(values: Mapping[str, float]) -> dict[str, float]:
    """Return shares by class, in a hierarchy with the sums of the parents too."""
    names, shares = list(values), list(values.values())
    sums = {parent: sum(shares[index] for index in leaves) for parent, leaves in parents_of(names)}
    return {**sums, **values}
