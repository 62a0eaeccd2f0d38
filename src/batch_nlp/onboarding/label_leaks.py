"""Find columns that reveal the label, alone or in combination."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batch_nlp.dataset.conversion import as_number
from batch_nlp.onboarding.column_profiles import ColumnProfile

# Maximum and minimum number of rows for the tree; minimum number of rows per class or value
_ROWS, _FEWEST, _LARGE = 3000, 50, 5
# Balanced accuracy from which columns reveal the label; columns known in advance stay far below
_REVEALED = 0.97


def leaks(columns: Sequence[ColumnProfile], label: ColumnProfile, left_out: Collection[str]) -> list[ColumnProfile]:
    """Return the columns that reveal the label, except those `left_out`: equal values have equal labels."""
    found = []
    for column in columns:
        if column is label or column.name in left_out:
            continue
        pairs = pd.DataFrame({"value": column.targets, "label": label.targets}).replace("", None).value_counts()
        values = pairs.groupby(level="value")
        sizes, largest = values.sum(), values.max()
        # a unique value determines everything
        repeated = sizes >= _LARGE
        covered = sizes[repeated].sum()
        enough = covered >= max(20, 0.3 * sizes.sum()) and repeated.sum() > 1
        if enough and largest[repeated].sum() >= 0.99 * covered:
            found.append(column)
    return found


def leaks_together(columns: Sequence[ColumnProfile], label: ColumnProfile) -> list[ColumnProfile]:
    """Return columns from which a decision tree predicts the label of nearly every message.

    The result is a minimal set of columns, plus all columns that can replace one of them.
    """
    known = [row for row, target in enumerate(label.targets) if target]
    known = known[:: max(1, len(known) // _ROWS)]
    classes = Counter(label.targets[row] for row in known)
    known = [row for row in known if classes[label.targets[row]] >= _LARGE]
    targets = np.array([label.targets[row] for row in known])
    values = [_codes(column, known) for column in columns]
    needed = list(range(len(columns)))
    if len(known) < _FEWEST or not _predicts(values, needed, targets):
        return []
    for one in reversed(needed.copy()):
        without = [other for other in needed if other != one]
        needed = without if _predicts(values, without, targets) else needed
    found = {*needed}
    for one in {*range(len(columns))} - found:
        if any(_predicts(values, [one, *(other for other in needed if other != gone)], targets) for gone in needed):
            found.add(one)
    return [columns[one] for one in sorted(found)]


def _codes(column: ColumnProfile, rows: Sequence[int]) -> NDArray[np.float64]:
    """Return values for the tree: ranks of numbers, and codes of values that occur repeatedly."""
    if column.sign:
        # ranks, since a number can be too large for the tree
        numbers = pd.Series([as_number(column.values[row], column.sign) for row in rows])
        return np.asarray(numbers.rank(method="dense"), dtype=np.float64)
    codes = {value: code for code, value in enumerate(sorted(column.sizes)) if column.sizes[value] >= _LARGE}
    return np.array([codes.get(column.targets[row] or "", np.nan) for row in rows])


def _predicts(values: Sequence[NDArray[np.float64]], chosen: Sequence[int], targets: NDArray[np.str_]) -> bool:
    """Say whether a decision tree predicts the label of nearly every message from the chosen values."""
    from sklearn.tree import DecisionTreeClassifier

    if not chosen or len({*targets}) < 2:
        return False
    tree = DecisionTreeClassifier(min_samples_leaf=2, class_weight="balanced", random_state=0)
    return cross_validated_recall(tree, np.column_stack([values[one] for one in chosen]), targets) >= _REVEALED


def cross_validated_recall(model: Any, inputs: Any, targets: Sequence[str] | NDArray[np.str_]) -> float:
    """Return the mean recall over classes when each third of the messages is predicted from the others."""
    from sklearn.metrics import recall_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    predicted = cross_val_predict(model, inputs, targets, cv=StratifiedKFold(3, shuffle=True, random_state=0))
    return float(recall_score(targets, predicted, average="macro", zero_division=0))
