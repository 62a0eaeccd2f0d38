"""Read labels by the settings: raw columns become targets, the text form of a label in the store."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batch_nlp.config import LabelConfig
from batch_nlp.dataset.conversion import UNREADABLE
from batch_nlp.errors import SettingsError, examples

# Separator of the levels of a hierarchy; class of rare and unknown targets
LEVEL, OTHER = " / ", "other"
# In a map from targets to classes: the target has no class
NO_CLASS = ""
_WHOLE_NUMBER = re.compile(r"(-?\d+)\.0+")
# Column types in which equal values are equal labels; in mixed columns, True equals 1
_OF_ONE_KIND = ("string", "integer", "floating", "mixed-integer-float", "decimal", "empty")


def as_target(value: object) -> Any:
    """Return a label as text, None if missing, `UNREADABLE` if the value cannot be a label.

    Text is stripped, whole numbers lose their decimals, and booleans become lower case.
    """
    if isinstance(value, str):
        text = value.strip()
        try:
            text.encode()  # lone surrogates cannot be stored
        except UnicodeEncodeError:
            return UNREADABLE
        return text or None
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, int | np.integer):
        return str(value)
    if isinstance(value, float | np.number | Decimal):
        if math.isnan(value):
            return None
        return str(int(value)) if math.isfinite(value) and value == int(value) else str(value)
    return UNREADABLE


class Labels:
    """Reads the targets of raw rows.

    Attributes
    ----------
    levels : list of list of str
        The alternative columns of each level of the hierarchy; a plain label has one level.
    columns : list of str
        All columns of the label; empty if the dataset has no label.
    allowed : frozenset of str or None
        Targets that are not quarantined; None allows any.
    """

    def __init__(self, label: LabelConfig) -> None:
        self.levels = levels_of(label)
        self.columns = list(dict.fromkeys(column for level in self.levels for column in level))
        self._listed = listed_targets(label)
        any_other = label.rare is not None and label.rare["as"] in ("other", "ignore")
        self.allowed = None if self._listed is None or any_other else out_of_scope_targets(label).union(self._listed)

    def read(self, rows: pd.DataFrame) -> tuple[pd.Series[Any], pd.Series[bool]]:
        """Return the target of each raw row, and which rows have an unreadable label.

        A missing or unreadable label is None; missing columns count as empty. The levels of a hierarchy are joined up
        to the first missing one.
        """
        levels = [self._level(rows, columns) for columns in self.levels]
        if not levels:
            targets = np.full(len(rows), None, object)
        elif len(levels) == 1:
            targets = levels[0]
        else:
            joined = [_joined(values) for values in zip(*levels, strict=True)]
            targets = pd.Series(joined, dtype=object).to_numpy(copy=True)
        unreadable = np.fromiter((target is UNREADABLE for target in targets), bool, len(targets))
        targets[unreadable] = None
        return pd.Series(targets, rows.index, object), pd.Series(unreadable, rows.index)

    def _level(self, rows: pd.DataFrame, columns: list[str]) -> NDArray[np.object_]:
        found = np.full(len(rows), None, object)
        for column in columns:
            if column in rows:
                missing = np.fromiter((value is None for value in found), bool, len(found))
                found[missing] = self._texts(rows[column][missing])
        return found

    def _texts(self, values: pd.Series[Any]) -> NDArray[np.object_]:
        if pd.api.types.infer_dtype(values, skipna=True) not in _OF_ONE_KIND:
            return np.fromiter((self._text(value) for value in values), object, len(values))
        codes, different = pd.factorize(values)  # the code -1 selects the last entry, None
        return np.fromiter((*map(self._text, different), None), object, len(different) + 1)[codes]

    def _text(self, value: object) -> Any:
        text = as_target(value)
        if self._listed is None or not isinstance(text, str) or text in self._listed:
            return text
        if isinstance(value, bool | np.bool_):  # the list may contain the text true or TRUE
            return next((target for target in self._listed if target.lower() == text.lower()), UNREADABLE)
        # in a column with gaps, pandas writes 3 as 3.0
        whole = _WHOLE_NUMBER.fullmatch(text)
        return whole[1] if whole and whole[1] in self._listed else text


def _joined(levels: tuple[Any, ...]) -> Any:
    if UNREADABLE in levels:
        return UNREADABLE
    there = levels[: levels.index(None)] if None in levels else levels
    return LEVEL.join(there) or None


def levels_of(label: LabelConfig) -> list[list[str]]:
    """Return the alternative columns of each level of the label; empty if there is no label."""
    column = label.column
    levels = [] if column is None else [column] if isinstance(column, str) else column
    return [[level] if isinstance(level, str) else list(level) for level in levels]


def listed_targets(label: LabelConfig) -> dict[str, str] | None:
    """Return target -> class as listed in the settings; None if the classes are found in the data."""
    classes = label.classes
    if isinstance(classes, str):
        return None
    if not isinstance(classes, Mapping):
        return {as_target(target): as_target(target) for target in classes}
    return {as_target(target): as_target(name) for name, targets in classes.items() for target in _list(targets)}


def out_of_scope_targets(label: LabelConfig) -> frozenset[str]:
    """Return the targets of messages that belong to no class."""
    return frozenset(as_target(target) for target in label.out_of_scope)


def _list(targets: Any) -> list[Any]:
    return list(targets) if isinstance(targets, list | tuple) else [targets]


def check_label(label: LabelConfig) -> None:
    """Raise a `SettingsError` if the label's columns or classes cannot be used."""
    column = label.column
    levels = [None] if column == [] else _list(column) if column is not None else []
    if not all(_list(level) and all(isinstance(name, str) and name for name in _list(level)) for level in levels):
        raise SettingsError(
            f"dataset.label.column={column}: need the name of a column, a list of names for a hierarchy, or null; an "
            "entry of the list may itself be a list of alternative columns."
        )
    if label.classes != "auto" and (need := _needed_classes(label.classes)):
        raise SettingsError(f"dataset.label.classes={label.classes}: need {need}.")
    if both := sorted(out_of_scope_targets(label).intersection(listed_targets(label) or {})):
        raise SettingsError(
            f"dataset.label.out_of_scope={label.out_of_scope}: {examples(both)} also in dataset.label.classes. A label "
            "either has a class or is out of scope: remove it from one of the two."
        )


def _needed_classes(classes: Any) -> str | None:
    """Return what the setting of the classes needs to be; None if it can be used."""
    if isinstance(classes, str) or not isinstance(classes, Mapping | Sequence):
        return "'auto', a list of labels, or a mapping from class to its labels"
    mapping = classes if isinstance(classes, Mapping) else {}
    targets = [target for found in mapping.values() for target in _list(found)] if mapping else list(classes)
    found = [as_target(target) for target in targets]
    if not all(isinstance(text, str) for text in (*found, *map(as_target, mapping))):
        return "labels that are text or numbers, none empty"
    if len(classes) < 2:
        return "at least two classes"
    if twice := sorted({text for text in found if found.count(text) > 1}):
        return f"each label in one class; named more than once: {examples(twice)}"
    if empty := [name for name, given in mapping.items() if not _list(given)]:
        return f"at least one label for each class; none for: {examples(empty)}"
    return None
