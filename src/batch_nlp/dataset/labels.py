"""The label as the settings describe it: from raw columns to targets, the text that the store keeps of a label."""

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
from batch_nlp.dataset.values import UNREADABLE
from batch_nlp.errors import SettingsError, did_you_mean, examples

# Between the levels of a hierarchy, and the class of what is rare or unknown
LEVEL, OTHER = " / ", "other"
_WHOLE_NUMBER = re.compile(r"(-?\d+)\.0+")
# Kinds of columns in which equal values are equal labels; among others, True equals 1
_OF_ONE_KIND = ("string", "integer", "floating", "mixed-integer-float", "decimal", "empty")


def as_target(value: object) -> Any:
    """Return a label as text, None where there is none, and `UNREADABLE` where the value cannot be a label.

    Text stays as it is but for surrounding white space; whole numbers lose their decimals, and truth is lower case.
    """
    if isinstance(value, str):
        text = value.strip()
        try:
            text.encode()  # half of a surrogate pair can be stored nowhere
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

    Parameters
    ----------
    label : LabelConfig
        Checked by `check_label`.

    Attributes
    ----------
    levels : list of list of str
        For each level of the hierarchy (one, where it is none) its columns, of which the first that is there counts.
    columns : list of str
        All of them; empty where the messages have no labels.
    allowed : frozenset of str or None
        Targets that are not to be quarantined; None where any may come.
    """

    def __init__(self, label: LabelConfig) -> None:
        self.levels = levels_of(label)
        self.columns = list(dict.fromkeys(column for level in self.levels for column in level))
        self._listed = listed_targets(label)
        any_other = label.rare is not None and label.rare["as"] in ("other", "ignore")
        self.allowed = None if self._listed is None or any_other else frozenset(self._listed)

    def read(self, rows: pd.DataFrame) -> tuple[pd.Series[Any], pd.Series[bool]]:
        """Return the target of each raw row, and which rows hold something that cannot be a label.

        Parameters
        ----------
        rows : DataFrame, shape (n, ...)
            Raw rows; a column that they lack is empty.

        Returns
        -------
        Series of str, shape (n,)
            None where a row has no label, or none that can be read. The levels of a hierarchy are joined down to the
            first one that is missing.
        Series of bool, shape (n,)
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
        codes, different = pd.factorize(values)  # -1, the last one, stands for nothing
        return np.fromiter((*map(self._text, different), None), object, len(different) + 1)[codes]

    def _text(self, value: object) -> Any:
        text = as_target(value)
        if self._listed is None or not isinstance(text, str) or text in self._listed:
            return text
        if isinstance(value, bool | np.bool_):  # listed as a text, true or TRUE
            return next((target for target in self._listed if target.lower() == text.lower()), UNREADABLE)
        # what pandas writes of whole numbers in a column with gaps
        whole = _WHOLE_NUMBER.fullmatch(text)
        return whole[1] if whole and whole[1] in self._listed else text


def _joined(levels: tuple[Any, ...]) -> Any:
    if UNREADABLE in levels:
        return UNREADABLE
    there = levels[: levels.index(None)] if None in levels else levels
    return LEVEL.join(there) or None


def levels_of(label: LabelConfig) -> list[list[str]]:
    """Return the columns of each level of the label, alternatives side by side; no level where there is no label."""
    column = label.column
    levels = [] if column is None else [column] if isinstance(column, str) else column
    return [[level] if isinstance(level, str) else list(level) for level in levels]


def listed_targets(label: LabelConfig) -> dict[str, str] | None:
    """Return the class of each target that the settings list, in their order; None where the data say."""
    classes = label.classes
    if isinstance(classes, str):
        return None
    if not isinstance(classes, Mapping):
        return {as_target(target): as_target(target) for target in classes}
    return {as_target(target): as_target(name) for name, targets in classes.items() for target in _list(targets)}


def _list(targets: Any) -> list[Any]:
    return list(targets) if isinstance(targets, list | tuple) else [targets]


def check_label(label: LabelConfig) -> None:
    """Stop before any work when the settings of the label cannot be met.

    Raises
    ------
    SettingsError
    """

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
        "the name of a column, a list of names for a hierarchy, or null; in a list, an entry that is a list itself "
        "names columns of which the first that is there counts",
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
        need(not empty, "classes", classes, f"labels for each class; without any: {examples(empty)}")
