"""From targets to the classes that a model tells apart: those of the settings, or those found in the data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batch_nlp.config import LabelConfig
from batch_nlp.dataset.labels import LEVEL, OTHER, levels_of, listed_targets
from batch_nlp.errors import DataError, examples
from batch_nlp.hierarchy import Leaves

# Classes that an error names
_NAMED = 10


@dataclass(frozen=True)
class ClassMap:
    """Which class a target belongs to; a model's manifest keeps it as ``label_map``.

    Parameters
    ----------
    classes : list of str
        Names of the classes, in the order of their indices; `Leaves` of a hierarchy.
    targets : dict of str to str
        Class of each target that has one.
    other : str or None
        Class of all other targets, where they have one; in a hierarchy, that of the nearest level above takes them in,
        as far as it is one of the classes.
    """

    classes: list[str]
    targets: dict[str, str]
    other: str | None = None

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.classes)}

    def index(self, target: str) -> int:
        """Return the index of a target's class, -1 where it has none."""
        name = self.targets.get(target)
        if name is None and self.other is not None:
            name = _above(target) if isinstance(self.classes, Leaves) else self.other
            while name not in self._positions and name != self.other:
                name = _above(name)
        return -1 if name is None else self._positions.get(name, -1)

    def indices(self, targets: pd.Series[Any]) -> pd.Series[int]:
        """Return the index of each target's class, -1 where it has none.

        Parameters
        ----------
        targets : Series of str, shape (n,)
        """
        codes, different = pd.factorize(targets)
        found = np.array([*map(self.index, different), -1], dtype=np.int64)
        return pd.Series(found[codes], targets.index)

    def to_dict(self) -> dict[str, Any]:
        """Return the map as JSON values; `from_dict` is the inverse."""
        return {**asdict(self), "deep": isinstance(self.classes, Leaves)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ClassMap:
        """Return the map of a model's manifest; one that does not say whether it is a hierarchy is treated as one."""
        names = Leaves if values.get("deep", True) else list
        return cls(names(values["classes"]), dict(values["targets"]), values["other"])


def class_map(label: LabelConfig, manifest: Mapping[str, Any] | None = None) -> ClassMap | None:
    """Return a model's map from targets to classes, or without a model that of the settings.

    Parameters
    ----------
    label : LabelConfig
    manifest : mapping, optional
        Of the model.

    Returns
    -------
    ClassMap or None
        None without a model where the classes are those found in the data.
    """
    if manifest is not None:
        # that of an earlier release keeps none, and predicts the classes that the settings list
        return ClassMap.from_dict(manifest["label_map"]) if "label_map" in manifest else class_map(label)
    listed = listed_targets(label)
    names = Leaves if len(levels_of(label)) > 1 else list
    return None if listed is None else ClassMap(names(dict.fromkeys(listed.values())), listed)


@dataclass(frozen=True)
class FoundClasses:
    """The classes of some labelled messages.

    Parameters
    ----------
    map : ClassMap
    labels : Series of int, shape (n,)
        Index of each message's class; -1 where it is left out.
    rare : dict of str to int
        Targets that ``dataset.label.rare`` is about, with their numbers of messages.
    """

    map: ClassMap
    labels: pd.Series[int]
    rare: dict[str, int]


def find_classes(
    targets: pd.Series[Any], label: LabelConfig, least: int, ids: pd.Series[Any] | None = None
) -> FoundClasses:
    """Return the classes of labelled messages, without those that are too rare to learn.

    Parameters
    ----------
    targets : Series of str, shape (n,)
    label : LabelConfig
        Without ``rare.under``, a class is rare with fewer than `least` messages.
    least : int
        Messages that each class must have.
    ids : Series of str, shape (n,), optional
        Of the messages, for the error: where a class has a few messages, they may be mislabelled.

    Raises
    ------
    DataError
        If a stored label is none of the settings', a class has too few messages, or there is one class only.
    """
    counts = {str(target): int(number) for target, number in targets.value_counts().items()}
    listed = listed_targets(label)
    named = dict(listed) if listed is not None else {target: target for target in sorted(counts)}
    rare_as, under = (label.rare["as"], int(label.rare.get("under", least))) if label.rare else (None, 0)
    unknown = sorted(target for target in counts if target not in named)
    if unknown and rare_as is None:
        raise DataError(
            f"{sum(counts[target] for target in unknown):,} stored labels are none of dataset.label.classes: "
            f"{examples(unknown)}. Add them, or say what becomes of them: 'dataset.label.rare={{as: other}}'."
        )
    sizes: Counter[str] = Counter(dict.fromkeys(named.values(), 0))
    for target, name in named.items():
        sizes[name] += counts.get(target, 0)
    small, deep = {name for name, size in sizes.items() if size < under}, len(levels_of(label)) > 1
    if rare_as == "other":
        named |= {target: target for target in unknown}
        sizes.update({target: counts[target] for target in unknown})
        place = merged(sizes, small.union(unknown), least, deep)
        others = sum(size for name, size in sizes.items() if place[name] == OTHER)
        # a stray label must not stop every training
        too_few = others < least and OTHER not in (listed or {}).values()
        kept = {target: place[name] for target, name in named.items() if not (too_few and place[name] == OTHER)}
    else:
        kept = {target: name for target, name in named.items() if name not in small}
    occurring = {name for target, name in kept.items() if counts.get(target)}
    # without a rule, a class that no message has is missed by name
    classes = [name for name in dict.fromkeys(kept.values()) if name in occurring or rare_as is None]
    order = list(sizes) if listed is not None else sorted(classes)
    classes.sort(key=lambda name: order.index(name) if name in order else len(order))
    kept = {target: name for target, name in kept.items() if name in classes}
    any_other = rare_as == "other" and (deep or OTHER in classes)
    found = ClassMap(Leaves(classes) if deep else classes, kept, OTHER if any_other else None)
    labels = found.indices(targets)
    if len(classes) < 2:
        raise DataError(
            f"Training needs at least two classes; among {len(labels):,} labelled messages there is "
            f"{examples(classes) or 'none'} alone. Check dataset.label, or bring labels of other classes."
        )
    hint = "" if ids is None else _strays(labels, ids, least)
    check_classes(labels, classes, least, "labelled messages", labels, least, hint)
    rare = {target: counts[target] for target, name in named.items() if name in small and target in counts}
    return FoundClasses(found, labels, rare | {target: counts[target] for target in unknown})


def _above(name: str) -> str:
    """Return the class that takes a rare one in: that of ``a / b`` is ``a / other``, that of ``a / other`` is other."""
    levels = name.split(LEVEL)
    parent = levels[:-2] if levels[-1] == OTHER else levels[:-1]
    return LEVEL.join([*parent, OTHER])


def merged(sizes: Mapping[str, int], small: Iterable[str], least: int, deep: bool) -> dict[str, str]:
    """Return where each class goes: the small ones to the other ones of their parent, or to those of all.

    Other ones that are too few themselves go a level up.
    """
    gone = set(small)
    place = {name: (_above(name) if deep else OTHER) if name in gone else name for name in sizes}
    while True:
        totals: Counter[str] = Counter()
        for name, at in place.items():
            totals[at] += sizes[name]
        others = {at for at in totals if at.endswith(LEVEL + OTHER)} if deep else set()
        up = {at for at in others if totals[at] < least}
        if not up:
            return place
        place = {name: _above(at) if at in up else at for name, at in place.items()}


def _strays(labels: pd.Series[int], ids: pd.Series[Any], least: int) -> str:
    """Return which messages are all that their class has, where it has few: a label may be misspelt."""
    sizes = labels[labels >= 0].value_counts()
    few = ids[labels.isin(sizes.index[sizes < min(least, _NAMED)])]
    return f"A label may be misspelt; the messages are {examples(few.to_list())}. " if len(few) else ""


def check_classes(
    side: pd.Series[int], classes: list[str], least: int, part: str, every: pd.Series[int], usual: int, hint: str = ""
) -> None:
    """Stop before a model is trained or measured without one of its classes.

    Parameters
    ----------
    side : Series of int
        Class of each message that is to be trained on, or measured.
    classes : list of str
        Names of the classes.
    least : int
        Messages of each class that must be among them.
    part : str
        Which messages these are, for the error.
    every : Series of int
        Class of each labelled message.
    usual : int
        Messages that each class must have among all.
    hint : str
        What else helps, for the error.

    Raises
    ------
    DataError
        If a class has fewer; the message names those that do, at most ten, and a setting without them.
    """
    counts = np.bincount(side[side >= 0], minlength=len(classes))
    short = np.flatnonzero(counts < least)
    if len(short):
        named = ", ".join(f"class {classes[index]} ({index}) has {counts[index]}" for index in short[:_NAMED])
        more = f" and {len(short) - _NAMED} more" if len(short) > _NAMED else ""
        totals = np.bincount(every[every >= 0], minlength=len(classes))
        # where one side alone lacks a class, that of all rare ones may lack there too
        advice = _advice(totals, short, classes, usual, together=side is every)
        raise DataError(f"Each class needs at least {least} {part}; {named}{more}. {hint}{advice}")


def _advice(totals: NDArray[np.int64], short: NDArray[np.int64], classes: list[str], usual: int, together: bool) -> str:
    """Return the setting that takes short classes out of the way, if there is one."""
    under = max(usual, int(totals[short].max()) + 1)
    small = totals < under
    others = int((~small).sum())
    together &= others > 0 and OTHER not in {classes[index] for index in short} and totals[small].sum() >= usual
    if together:
        return (
            f"Put them together, 'dataset.label.rare={{under: {under}, as: other}}', or bring more labelled messages."
        )
    if others >= 2:
        return f"Leave them out, 'dataset.label.rare={{under: {under}, as: ignore}}', or bring more labelled messages."
    return "Bring more labelled messages, or lower training.min_class_messages."
