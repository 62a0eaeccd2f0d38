"""Map targets to the classes that a model predicts: listed in the settings, or found in the data."""

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
from batch_nlp.dataset.label_order import class_ranks, places_of
from batch_nlp.dataset.labels import LEVEL, NO_CLASS, OTHER, levels_of, listed_targets, out_of_scope_targets
from batch_nlp.errors import DataError, examples
from batch_nlp.hierarchy import Leaves
from batch_nlp.storage.outcomes import abstained_name, outcomes

# Classes named in an error
_NAMED = 10


@dataclass(frozen=True)
class ClassMap:
    """Map from targets to classes; a model's manifest stores it as ``label_map``.

    Parameters
    ----------
    classes : list of str
        Class names in index order; `Leaves` for a hierarchy.
    targets : dict of str to str
        Target -> class; `NO_CLASS` for the targets of out-of-scope messages.
    other : str or None
        Class of all other targets, if any. In a hierarchy, they belong to the nearest ``other`` class above them.
    """

    classes: list[str]
    targets: dict[str, str]
    other: str | None = None

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.classes)}

    def index(self, target: str) -> int:
        """Return the index of a target's class, -1 for no class."""
        name = self.targets.get(target)
        if name is None and self.other is not None:
            name = _above(target) if isinstance(self.classes, Leaves) else self.other
            while name not in self._positions and name != self.other:
                name = _above(name)
        return -1 if name is None else self._positions.get(name, -1)

    def indices(self, targets: pd.Series[Any]) -> pd.Series[int]:
        """Return the index of each target's class, -1 for no class."""
        codes, different = pd.factorize(targets)
        found = np.array([*map(self.index, different), -1], dtype=np.int64)
        return pd.Series(found[codes], targets.index)

    def to_dict(self) -> dict[str, Any]:
        """Return the map as JSON values; `from_dict` is the inverse."""
        return {**asdict(self), "deep": isinstance(self.classes, Leaves)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ClassMap:
        """Return the map in a model's manifest; manifests without ``deep`` count as hierarchies."""
        names = Leaves if values.get("deep", True) else list
        return cls(names(values["classes"]), dict(values["targets"]), values["other"])


def outcomes_of_model(manifest: Mapping[str, Any]) -> list[str]:
    """Return the names that a model can predict, by their index: its classes and, if it abstains, a name after them."""
    return outcomes(ClassMap.from_dict(manifest["label_map"]).classes, abstained_name(manifest))


def class_map(label: LabelConfig, manifest: Mapping[str, Any] | None = None) -> ClassMap | None:
    """Return the class map of a model by its manifest, or of the settings if no model is given.

    None if no model is given and the classes are to be found in the data.
    """
    if manifest is not None:
        # models of earlier releases have no map, and predict the classes of the settings
        return ClassMap.from_dict(manifest["label_map"]) if "label_map" in manifest else class_map(label)
    listed = listed_targets(label)
    names = Leaves if len(levels_of(label)) > 1 else list
    return None if listed is None else ClassMap(names(dict.fromkeys(listed.values())), listed)


@dataclass(frozen=True)
class FoundClasses:
    """The classes found in labelled messages.

    Parameters
    ----------
    labels : Series of int, shape (n,)
        Class index of each message, -1 for messages that are left out.
    rare : dict of str to int
        Targets affected by ``dataset.label.rare``, with their message counts.
    places : Series of float64, shape (n,), or None
        Place of each message's target in the order of the labels, as from `places_of`.
    """

    map: ClassMap
    labels: pd.Series[int]
    rare: dict[str, int]
    places: pd.Series[float] | None = None

    @property
    def ranks(self) -> NDArray[np.int64] | None:
        """Rank of each class in the order of the labels, shape (n_classes,); None without such an order."""
        return None if self.places is None else class_ranks(self.places, self.labels, len(self.map.classes))

    def places_at(self, rows: pd.Index[int]) -> NDArray[np.float64] | None:
        """Return the places of some messages, None without an order."""
        return None if self.places is None else np.asarray(self.places[rows], dtype=np.float64)


def find_classes(
    targets: pd.Series[Any], label: LabelConfig, least: int, ids: pd.Series[Any] | None = None
) -> FoundClasses:
    """Return the classes of labelled messages, after applying ``dataset.label.rare``.

    Each class needs `least` messages; without ``rare.under``, a class with fewer is rare. With the ids of the messages,
    an error can name the few messages of a class that may be mislabelled.

    Raises
    ------
    DataError
        If a stored label is not listed in the settings, a class has too few messages, or there is only one class.
    """
    outside = dict.fromkeys(sorted(out_of_scope_targets(label)), NO_CLASS)
    targets = targets.where(~targets.isin(outside)) if outside else targets
    counts = {str(target): int(number) for target, number in targets.value_counts().items()}
    listed = listed_targets(label)
    named = dict(listed) if listed is not None else {target: target for target in sorted(counts)}
    rare_as, under = (label.rare["as"], int(label.rare.get("under", least))) if label.rare else (None, 0)
    unknown = sorted(target for target in counts if target not in named)
    if unknown and rare_as is None:
        raise DataError(
            f"{sum(counts[target] for target in unknown):,} stored labels are not in dataset.label.classes: "
            f"{examples(unknown)}. Add them, or put them into one class: 'dataset.label.rare={{as: other}}'."
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
        # a single stray label must not stop every training
        too_few = others < least and OTHER not in (listed or {}).values()
        kept = {target: place[name] for target, name in named.items() if not (too_few and place[name] == OTHER)}
    else:
        kept = {target: name for target, name in named.items() if name not in small}
    occurring = {name for target, name in kept.items() if counts.get(target)}
    # without a rule for rare classes, empty classes stay, so that the error names them
    classes = [name for name in dict.fromkeys(kept.values()) if name in occurring or rare_as is None]
    order = list(sizes) if listed is not None else sorted(classes)
    classes.sort(key=lambda name: order.index(name) if name in order else len(order))
    kept = {target: name for target, name in kept.items() if name in classes}
    any_other = rare_as == "other" and (deep or OTHER in classes)
    found = ClassMap(Leaves(classes) if deep else classes, kept | outside, OTHER if any_other else None)
    labels = found.indices(targets)
    if len(classes) < 2:
        raise DataError(
            f"Training needs at least two classes, but {len(labels):,} labelled messages only have "
            f"{examples(classes) or 'none'}. Check dataset.label, or add labels of other classes."
        )
    hint = "" if ids is None else _strays(labels, ids, least)
    check_classes(labels, classes, least, "labelled messages", labels, least, hint)
    rare = {target: counts[target] for target, name in named.items() if name in small and target in counts}
    rare |= {target: counts[target] for target in unknown}
    return FoundClasses(found, labels, rare, places_of(targets, label))


def _above(name: str) -> str:
    """Return the class into which a rare class is merged: ``a / b`` into ``a / other``, that into ``other``."""
    levels = name.split(LEVEL)
    parent = levels[:-2] if levels[-1] == OTHER else levels[:-1]
    return LEVEL.join([*parent, OTHER])


def merged(sizes: Mapping[str, int], small: Iterable[str], least: int, deep: bool) -> dict[str, str]:
    """Map each class to its class after merging: small classes go to the ``other`` of their parent, or to ``other``.

    An ``other`` with fewer than `least` messages is merged into the level above.
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
    """Return a hint that names the messages of very small classes, whose labels may be misspelt."""
    sizes = labels[labels >= 0].value_counts()
    few = ids[labels.isin(sizes.index[sizes < min(least, _NAMED)])]
    return f"A label may be misspelt; the messages are {examples(few.to_list())}. " if len(few) else ""


def check_classes(
    side: pd.Series[int], classes: list[str], least: int, part: str, every: pd.Series[int], usual: int, hint: str = ""
) -> None:
    """Raise an error if a class has too few messages to train or measure a model.

    Parameters
    ----------
    side, every : Series of int
        Classes of the messages to train on or to measure with, and of all labelled messages.
    least, usual : int
        Minimum per class among the former, and among the latter.
    part : str
        Name of the former in the error.

    Raises
    ------
    DataError
        Names up to ten classes that have fewer, and a setting that avoids them.
    """
    counts = np.bincount(side[side >= 0], minlength=len(classes))
    short = np.flatnonzero(counts < least)
    if len(short):
        named = ", ".join(f"class {classes[index]} ({index}) has {counts[index]}" for index in short[:_NAMED])
        more = f" and {len(short) - _NAMED} more" if len(short) > _NAMED else ""
        totals = np.bincount(every[every >= 0], minlength=len(classes))
        # if only one side lacks a class, the merged class could be missing there too
        advice = _advice(totals, short, classes, usual, together=side is every)
        raise DataError(f"Each class needs at least {least} {part}; {named}{more}. {hint}{advice}")


def _advice(totals: NDArray[np.int64], short: NDArray[np.int64], classes: list[str], usual: int, together: bool) -> str:
    """Return the setting that merges or drops the classes that are too small, if possible."""
    under = max(usual, int(totals[short].max()) + 1)
    small = totals < under
    others = int((~small).sum())
    together &= others > 0 and OTHER not in {classes[index] for index in short} and totals[small].sum() >= usual
    if together:
        return f"Merge small classes, 'dataset.label.rare={{under: {under}, as: other}}', or add labelled messages."
    if others >= 2:
        return f"Drop small classes, 'dataset.label.rare={{under: {under}, as: ignore}}', or add labelled messages."
    return "Add labelled messages, or lower training.min_class_messages."
