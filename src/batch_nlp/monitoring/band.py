"""The band that the share of each class has to be in, and whether a batch can satisfy it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil, fsum

from batch_nlp.config import DriftConfig, DriftRule
from batch_nlp.errors import SettingsError, did_you_mean, examples
from batch_nlp.hierarchy import roll_up

# Rules that judge by the band, and need nothing but the shares
BAND_RULES = frozenset({DriftRule.share, DriftRule.interval})
# Bands that fit on a command line, and names that Hydra reads there without escapes
_TYPED, _TYPEABLE = 5, re.compile(r"(?!(?:null|true|false|nan|inf)$)[a-z][\w /.-]*", re.ASCII | re.IGNORECASE)
# Sums of shares differ by rounding
_ROUNDING = 1e-9
_ADVICE = (
    "For classes that are rare or common by nature, set drift=reference, which compares with the champion's hold-out, "
    "or give them bands of their own in drift.bands."
)


def band_of(settings: DriftConfig, name: str) -> tuple[float, float]:
    """Return the least and the greatest share of a class."""
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
    """Return what the band is for: the classes, or their parents where they are the leaves of a hierarchy."""
    return [name for name, _ in parents_of(classes)] or list(classes)


def natural_warning(
    settings: DriftConfig, classes: Sequence[str], predicted: Sequence[float], trained: Sequence[float]
) -> str | None:
    """Return in words what the band makes of messages that have not drifted, with the settings that fit better.

    Parameters
    ----------
    settings : DriftConfig
    classes : sequence of str
        Of a champion, k of them.
    predicted, trained : sequence of float, shape (k,)
        Their shares among its predictions on the hold-out, and among the messages that it was trained on.

    Returns
    -------
    str or None
        None where every class is in its band, or no rule judges by it.
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
        f"drift.high={settings.high:g}, or their own bands, on its own hold-out ({named}): the rule will ring without "
        f"any drift. Set drift=reference, or {_as_setting({**settings.bands, **fitting})}"
    )


def _fitting_band(rare: bool, shares: Sequence[float]) -> list[float]:
    """Return a band of whole hundredths around a class's natural shares.

    A rare class may be missing from a batch, and come up to twice as often as it does by nature; a common one may leave
    twice as much to the others. Either has 5 % of room.
    """
    share = max(shares) if rare else 1 - min(shares)
    room = min(1.0, max(0.05, ceil(round(200 * share, 6)) / 100))
    return [0.0, room] if rare else [round(1 - room, 2), 1.0]


def _as_setting(bands: Mapping[str, Sequence[float]]) -> str:
    """Return bands as they can be typed on a command line, or where a name cannot, or there are many, as YAML."""
    if len(bands) <= _TYPED and all(_TYPEABLE.fullmatch(name) for name in bands):
        return "'+drift.bands={" + ", ".join(f"{name}: {[*band]}" for name, band in bands.items()) + "}'"
    first = dict(list(bands.items())[:_TYPED])
    return f"in a file of conf/drift, for each of them: bands: {json.dumps(first, ensure_ascii=False)}"


def why_impossible(settings: DriftConfig, classes: Sequence[str]) -> str | None:
    """Return in words why no batch can satisfy the band for some classes, None where one can."""
    names = judged_classes(classes)
    lows, highs = zip(*(band_of(settings, name) for name in names), strict=True)
    least, greatest, n = fsum(lows), fsum(highs), len(names)
    # classes without a band of their own share these
    with_bands = " beside drift.bands" if any(name in settings.bands for name in names) else ""
    if least > 1 + _ROUNDING:
        found = f"they add up to {least:.3g}" if with_bands else f"at most {1 / n:.3g} is possible"
        return f"drift.low={settings.low:g}{with_bands}: no batch can give each of {n} classes its least share; {found}"
    if greatest < 1 - _ROUNDING:
        found = f"they add up to {greatest:.3g}" if with_bands else f"at least {1 / n:.3g} is needed"
        what = f"no batch can keep each of {n} classes under its greatest share"
        return f"drift.high={settings.high:g}{with_bands}: {what}; {found}"
    return None


def check_bands(settings: DriftConfig, classes: Sequence[str]) -> None:
    """Check that the classes which have bands of their own are there.

    Parameters
    ----------
    settings : DriftConfig
    classes : sequence of str
        Of the champion, or as far as the settings list them.

    Raises
    ------
    SettingsError
        If one is not.
    """
    names = judged_classes(classes)
    for name in settings.bands:
        if name not in names:
            raise SettingsError(f"drift.bands: there is no class {name!r}. {did_you_mean(name, names)}")


def check_possible(settings: DriftConfig, classes: Sequence[str] | None) -> None:
    """Check that a batch can satisfy the band, where a rule judges by it.

    Parameters
    ----------
    settings : DriftConfig
    classes : sequence of str or None
        None where they are found in the data: then only the bands of single classes can be told to be impossible.

    Raises
    ------
    SettingsError
        If no batch can.
    """
    if BAND_RULES.isdisjoint(settings.rules):
        return
    if classes is not None and (reason := why_impossible(settings, classes)):
        raise SettingsError(f"{reason}. {_ADVICE}")
    least = fsum(low for low, _ in settings.bands.values())
    if least - 1 > _ROUNDING:
        raise SettingsError(f"drift.bands: the least shares add up to {least:.3g}; no batch can satisfy them.")


def for_classes(settings: DriftConfig, classes: Sequence[str]) -> tuple[DriftConfig, str | None]:
    """Return the settings that a champion's batches can be judged by, and in words why they are others, if they are.

    Classes that are found in the data are not known when settings are checked. With so many that no batch can satisfy
    the band, it would call every batch drifted, whatever came: the rule ``reference`` takes its place.
    """
    reason = None if BAND_RULES.isdisjoint(settings.rules) else why_impossible(settings, classes)
    if reason is None:
        return settings, None
    rules = [DriftRule.reference if rule in BAND_RULES else rule for rule in settings.rules]
    why = f"{reason}. Batches are judged by the rule reference instead: set drift=reference, or bands that fit"
    return replace(settings, rules=list(dict.fromkeys(rules))), why
