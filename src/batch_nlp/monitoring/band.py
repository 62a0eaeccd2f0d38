"""The band (10 % to 90 % by default) that each class's share must lie in, and whether any batch can satisfy it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil, fsum

from batch_nlp.config import DriftConfig, DriftRule
from batch_nlp.errors import SettingsError, did_you_mean, examples
from batch_nlp.hierarchy import roll_up

# Rules that judge by the band; they need only the shares
BAND_RULES = frozenset({DriftRule.share, DriftRule.interval})
# Most bands to suggest on a command line, and class names that Hydra reads there without escapes
_TYPED, _TYPEABLE = 5, re.compile(r"(?!(?:null|true|false|nan|inf)$)[a-z][\w /.-]*", re.ASCII | re.IGNORECASE)
# Sums of shares have rounding errors
_ROUNDING = 1e-9
_ADVICE = (
    "For classes that are naturally rare or common, set drift=reference, which compares with the champion's hold-out, "
    "or set their own bands in drift.bands."
)


def band_of(settings: DriftConfig, name: str) -> tuple[float, float]:
    """Return the lowest and the highest allowed share of a class."""
    low, high = settings.bands.get(name, (settings.low, settings.high))
    return low, high


def parents_of(classes: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Return the parents of a hierarchy's classes, each with the indices of its classes; empty without a hierarchy.

    Names that make one parent only, whose share is always 1, or as many as there are classes, are no hierarchy.

    Examples
    --------
    >>> from batch_nlp.hierarchy import Leaves
    >>> parents_of(Leaves(["negative / late", "negative / lost", "positive"]))
    [('negative', [0, 1]), ('positive', [2])]
    >>> parents_of(Leaves(["bug", "question / other"]))
    []
    """
    parents = roll_up(classes)
    return parents if 1 < len(parents) < len(classes) else []


def judged_classes(classes: Sequence[str]) -> list[str]:
    """Return the names that the band applies to: the classes, or their parents where they form a hierarchy."""
    return [name for name, _ in parents_of(classes)] or list(classes)


def natural_warning(
    settings: DriftConfig, classes: Sequence[str], predicted: Sequence[float], trained: Sequence[float]
) -> str | None:
    """Return a warning if messages without drift lie outside the band, with settings that fit better.

    `predicted` and `trained` are the shares of the champion's classes among its predictions on the hold-out, and among
    its training messages.
    """
    if BAND_RULES.isdisjoint(settings.rules):
        return None
    if impossible := for_classes(settings, classes)[1]:
        return impossible
    groups = parents_of(classes) or [(name, [index]) for index, name in enumerate(classes)]
    shares = {name: [fsum(side[i] for i in leaves) for side in (predicted, trained)] for name, leaves in groups}
    bands = {name: band_of(settings, name) for name in shares}
    out = {name: found for name, found in shares.items() if not bands[name][0] <= found[0] <= bands[name][1]}
    if not out:
        return None
    named = examples(f"{name} {found[0]:.1%}" for name, found in out.items())
    fitting = {name: _fitting_band(max(found) < 0.5, found) for name, found in out.items()}
    return (
        f"The champion predicts {len(out)} of {len(shares)} classes outside drift.low={settings.low:g} and "
        f"drift.high={settings.high:g}, or their own bands, on its own hold-out ({named}): the rule will trigger "
        f"without any drift. Set drift=reference, or {_as_setting({**settings.bands, **fitting})}"
    )


def _fitting_band(rare: bool, shares: Sequence[float]) -> list[float]:
    """Return a band around a class's natural shares, in whole hundredths.

    A rare class may be absent from a batch or have up to twice its natural share; a common class may leave up to twice
    as much to the others. Each has at least 5 % of room.
    """
    share = max(shares) if rare else 1 - min(shares)
    room = min(1.0, max(0.05, ceil(round(200 * share, 6)) / 100))
    return [0.0, room] if rare else [round(1 - room, 2), 1.0]


def _as_setting(bands: Mapping[str, Sequence[float]]) -> str:
    """Return bands as an override for the command line; as YAML if there are many, or names that need escapes."""
    if len(bands) <= _TYPED and all(_TYPEABLE.fullmatch(name) for name in bands):
        return "'+drift.bands={" + ", ".join(f"{name}: {[*band]}" for name, band in bands.items()) + "}'"
    first = dict(list(bands.items())[:_TYPED])
    return f"in a file of conf/drift, for each of them: bands: {json.dumps(first, ensure_ascii=False)}"


def why_impossible(settings: DriftConfig, classes: Sequence[str]) -> str | None:
    """Return why no batch can satisfy the band with these classes; None if a batch can."""
    names = judged_classes(classes)
    lows, highs = zip(*(band_of(settings, name) for name in names), strict=True)
    least, greatest, n = fsum(lows), fsum(highs), len(names)
    # drift.low and drift.high apply to the classes without their own band
    with_bands = " beside drift.bands" if any(name in settings.bands for name in names) else ""
    if least > 1 + _ROUNDING:
        found = f"they add up to {least:.3g}" if with_bands else f"at most {1 / n:.3g} is possible"
        return (
            f"drift.low={settings.low:g}{with_bands}: no batch can give each of {n} classes its lowest share; {found}"
        )
    if greatest < 1 - _ROUNDING:
        found = f"they add up to {greatest:.3g}" if with_bands else f"at least {1 / n:.3g} is needed"
        what = f"no batch can keep each of {n} classes below its highest share"
        return f"drift.high={settings.high:g}{with_bands}: {what}; {found}"
    return None


def check_drift(settings: DriftConfig, classes: Sequence[str] | None) -> None:
    """Check the bands, and that a batch can satisfy them if a rule judges by them.

    `classes` are those that the dataset lists; for None, which are found in the data, only ``drift.bands`` is checked.

    Raises
    ------
    SettingsError
        If no batch can satisfy the band, or ``drift.bands`` names a class that does not exist.
    """
    if classes is not None:
        check_bands(settings, classes)
    if BAND_RULES.isdisjoint(settings.rules):
        return
    if classes is not None and (reason := why_impossible(settings, classes)):
        raise SettingsError(f"{reason}. {_ADVICE}")
    least = fsum(low for low, _ in settings.bands.values())
    if least - 1 > _ROUNDING:
        raise SettingsError(f"drift.bands: the lowest shares add up to {least:.3g}; no batch can satisfy them.")


def check_bands(settings: DriftConfig, classes: Sequence[str]) -> None:
    """Raise a `SettingsError` if a class in ``drift.bands`` does not exist."""
    names = judged_classes(classes)
    for name in settings.bands:
        if name not in names:
            raise SettingsError(f"drift.bands: there is no class {name!r}. {did_you_mean(name, names)}")


def with_abstained(settings: DriftConfig, abstained: str | None) -> DriftConfig:
    """Return the settings to judge a model by that abstains from messages under a name; `drift.bands` may have its own.

    A batch may have no such messages at all, so their share has only the upper bound.
    """
    if abstained is None:
        return settings
    return replace(settings, bands={abstained: [0.0, settings.high], **settings.bands})


def for_classes(settings: DriftConfig, classes: Sequence[str]) -> tuple[DriftConfig, str | None]:
    """Return the settings to judge a champion's batches by, and why they differ from the given ones, if they do.

    Classes that are found in the data are unknown when settings are checked. If they are so many that no batch can
    satisfy the band, every batch would count as drifted, so the rule ``reference`` replaces the rules on the band.
    """
    reason = None if BAND_RULES.isdisjoint(settings.rules) else why_impossible(settings, classes)
    if reason is None:
        return settings, None
    rules = [DriftRule.reference if rule in BAND_RULES else rule for rule in settings.rules]
    why = f"{reason}. The rule reference judges batches instead. Set drift=reference, or bands that fit"
    return replace(settings, rules=list(dict.fromkeys(rules))), why
