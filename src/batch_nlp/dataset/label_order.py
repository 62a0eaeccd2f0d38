"""The order of labels: the place of each label on a scale, and the rank of each class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batch_nlp.config import LabelConfig
from batch_nlp.dataset.labels import levels_of, listed_targets
from batch_nlp.errors import DataError, SettingsError, count, examples


def is_ordered(label: LabelConfig) -> bool:
    """Return whether the labels have an order: `label.ordered`, or whether they are ratings.

    Labels are ratings if ``label.classes`` maps at least three numbers to classes that are consecutive ranges of them,
    and a class has several. Other numbers may be codes, whose order means nothing.
    """
    if label.ordered is not None:
        return label.ordered
    listed = listed_targets(label) if isinstance(label.classes, Mapping) else None
    if listed is None or len(levels_of(label)) != 1 or len(listed) < 3:
        return False
    return None not in map(_number, listed) and _are_ranges(listed) and len(set(listed.values())) < len(listed)


def check_order(label: LabelConfig) -> None:
    """Check ``label.ordered`` of a label that `labels.check_label` accepts.

    Raises
    ------
    SettingsError
        If the label is a hierarchy, or if its classes overlap in the order.
    """
    if not label.ordered:
        return
    if len(levels_of(label)) > 1:
        raise SettingsError(
            "dataset.label.ordered=true: a hierarchy of labels has no order. Set dataset.label.ordered=false."
        )
    listed = listed_targets(label)
    if listed is not None and not _are_ranges(listed):
        raise SettingsError(
            "dataset.label.ordered=true: the classes overlap in the order of their labels. Give each class consecutive "
            "labels in dataset.label.classes, or set dataset.label.ordered=false."
        )


def places_of(targets: pd.Series[str], label: LabelConfig) -> pd.Series[float] | None:
    """Return the place of each target in the order of the labels.

    Parameters
    ----------
    targets : Series of str, shape (n,)
    label : LabelConfig

    Returns
    -------
    Series of float64, shape (n,), or None
        The number itself, or the position in ``label.classes`` if labels are words; NaN for a target without a place.
        None if the labels have no order.

    Raises
    ------
    DataError
        If labels that are not listed should have an order and are not numbers.
    """
    if not is_ordered(label):
        return None
    codes, different = pd.factorize(targets)
    listed = listed_targets(label)
    if listed is None and (words := [target for target in different if _number(target) is None]):
        raise DataError(
            f"dataset.label.ordered=true: {count(len(words), 'label is no number', 'labels are not numbers')}: "
            f"{examples(sorted(words))}. List the labels in their order in dataset.label.classes, or set "
            "dataset.label.ordered=false."
        )
    places = _places(listed) if listed is not None else {target: _number(target) for target in different}
    found = np.array([*(places.get(target) for target in different), None], dtype=np.float64)
    return pd.Series(found[codes], targets.index)


def class_ranks(places: pd.Series[float], labels: pd.Series[int], n_classes: int) -> NDArray[np.int64] | None:
    """Return the rank of each class in the order of its labels, shape (n_classes,).

    Parameters
    ----------
    places : Series of float64, shape (n,)
        From `places_of`.
    labels : Series of int, shape (n,)
        Classes; -1 for messages that are left out.

    Returns
    -------
    ndarray of int64, shape (n_classes,), or None
        None if a class, such as ``other``, has no range of its own.
    """
    known = (labels >= 0).to_numpy()
    of_class = places[known].groupby(labels[known])
    first, last = of_class.min(), of_class.max()
    order = first.sort_values(kind="stable").index
    unplaced = places[known].isna().any() or len(order) < n_classes
    if unplaced or (last[order[:-1]].to_numpy() >= first[order[1:]].to_numpy()).any():
        return None
    return np.argsort(order.to_numpy())


def _number(target: str) -> float | None:
    try:
        number = float(target)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _places(listed: Sequence[str] | Mapping[str, str]) -> dict[str, float]:
    numbers = {target: _number(target) for target in listed}
    if None in numbers.values():
        return {target: float(position) for position, target in enumerate(listed)}
    return {target: number for target, number in numbers.items() if number is not None}


def _are_ranges(listed: Mapping[str, str]) -> bool:
    """Return whether the labels of each class follow each other in the order."""
    places = _places(listed)
    names = [listed[target] for target in sorted(listed, key=places.__getitem__)]
    changes = sum(one != other for one, other in pairwise(names))
    return changes == len(set(names)) - 1
