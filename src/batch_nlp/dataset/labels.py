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
from batch_nlp.errors import SettingsError, did_you_mean, examples

# Separator of the levels of a hierarchy; class of rare and unknown targets
LEVEL, OTHER = " / ", "other"
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
        self.allowed = None if self._listed is None or any_other else frozenset(self._listed)

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


def _list(targets: Any) -> list[Any]:
    return list(targets) if isinstance(targets, list | tuple) else [targets]


def check_label(label: LabelConfig) -> None:
    """Raise a `SettingsError` if the label's columns or classes cannot be used."""

    def need(condition: bool, key: str, value: object, what: str) -> None:
        if not condition:
            raise SettingsError(f"dataset.label.{key}={value}: need {what}.")

    column = label.column
    levels = [] if column is None else [column] if isinstance(column, str) else column
    alternatives = [_list(level) for level in levels] if isinstance(levels, list) else []
    need(
        isinstance(levels, list)
        and (column is None or bool(levels))
        and all(level and all(isinstance(name, str) and name for name in level) for level in alternatives),
        "column",
        column,
        "the name of a column, a list of names for a hierarchy, or null; an entry of the list may itself be a list of "
        "alternative columns",
    )
    _check_classes_setting(label.classes, need)


def _check_classes_setting(classes: Any, need: Any) -> None:
    if isinstance(classes, str):
        if classes != "auto":
            hint = did_you_mean(classes, ["auto"])
            raise SettingsError(f"dataset.label.classes={classes}: need auto, a list of labels, or a mapping. {hint}")
        return
    need(
        isinstance(classes, Mapping | Sequence),
        "classes",
        classes,
        "auto, a list of labels, or a mapping from class to its labels",
    )
    mapped = isinstance(classes, Mapping)
    targets = [target for found in classes.values() for target in _list(found)] if mapped else list(classes)
    texts = [as_target(target) for target in (*targets, *(classes if mapped else ()))]
    need(
        all(isinstance(text, str) for text in texts), "classes", classes, "labels that are text or numbers, none empty"
    )
    need(len(classes) >= 2, "classes", classes, "at least two classes")
    found = [as_target(target) for target in targets]
    twice = sorted({text for text in found if found.count(text) > 1})
    need(not twice, "classes", classes, f"each label in one class; named more than once: {examples(twice)}")
    if mapped:
        empty = [name for name, given in classes.items() if not _list(given)]
        need(not empty, "classes", classes, f"at least one label for each class; none for: {examples(empty)}")
