"""The rules that can call a batch drifted, one function each.

A rule is given the shares of the predicted classes and, where the champion keeps a reference, the batch beside its
hold-out. It says whether it triggers, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from batch_nlp.config import Combine, DriftConfig, DriftRule
from batch_nlp.monitoring.band import BAND_RULES, band_of
from batch_nlp.monitoring.findings import ClassShare, Comparison, Finding, TestResult

# Names of the comparisons that rules look for; those with more than one are told by their kind
CLASSES_CHI_SQUARE, EMBEDDING_AUC = "chi-square of the predicted classes", "auc of the embedding"
NO_REFERENCE = "the champion keeps no reference: train again"
# Comparisons that a reason names
_NAMED = 4
# Classes that a reason names
MOST_CLASSES = 5

Rule = Callable[[Sequence[ClassShare], Comparison | None, DriftConfig], Finding]


def class_shares(counts: Sequence[int], classes: Sequence[str], settings: DriftConfig) -> list[ClassShare]:
    """Return the share of each class, and whether the rules on the band in force call it out.

    Parameters
    ----------
    counts : sequence of int
        Predictions of each class, at least one in all.
    classes : sequence of str
    settings : DriftConfig
    """
    from scipy.stats import binomtest  # late: it takes half a second, and most runs judge no batch

    n = sum(counts)
    in_force = [rule for rule in settings.rules if rule in BAND_RULES] or [DriftRule.share]
    combined = all if settings.combine is Combine.all else any
    shares = []
    for name, count in zip(classes, counts, strict=True):
        lower, upper = binomtest(count, n).proportion_ci(settings.confidence, "wilson")
        share = ClassShare(name, count, count / n, float(lower), float(upper), False)
        out = combined(_side(rule, share, settings) for rule in in_force)
        shares.append(replace(share, out=out))
    return shares


def _side(rule: DriftRule, share: ClassShare, settings: DriftConfig) -> str | None:
    """Return where the rule sees a class: ``under`` its band, ``over`` it, or None within."""
    low, high = band_of(settings, share.name)
    least, greatest = (share.share, share.share) if rule is DriftRule.share else (share.upper, share.lower)
    return "under" if least < low else "over" if greatest > high else None


def _band(rule: DriftRule, shares: Sequence[ClassShare], settings: DriftConfig) -> Finding:
    """Return what a rule on the band finds."""
    out = []
    for share in shares:
        if side := _side(rule, share, settings):
            bound = band_of(settings, share.name)[side == "over"]
            out.append((share, f"{share.name} {share.share:.1%} is {side} {100 * bound:.3g}%"))
    own = "its own band" if settings.bands else f"{100 * settings.low:.3g}% and {100 * settings.high:.3g}%"
    return Finding(rule.value, bool(out), name_shares(out) or f"every class is within {own}")


def name_shares(found: Sequence[tuple[ClassShare, str]]) -> str:
    """Return what is said of some classes; of many, the largest and how many more there are."""
    if len(found) > MOST_CLASSES:
        found = sorted(found, key=lambda one: -one[0].share)
    named = "; ".join(words for _, words in found[:MOST_CLASSES])
    return named + (f"; and {len(found) - MOST_CLASSES} more" if len(found) > MOST_CLASSES else "")


def share(shares: Sequence[ClassShare], _: Comparison | None, settings: DriftConfig) -> Finding:
    """Trigger when the share of a class lies outside the band: the mission's rule, to the letter."""
    return _band(DriftRule.share, shares, settings)


def interval(shares: Sequence[ClassShare], _: Comparison | None, settings: DriftConfig) -> Finding:
    """Trigger when the Wilson interval of a class's share lies wholly outside the band."""
    return _band(DriftRule.interval, shares, settings)


def reference(shares: Sequence[ClassShare], comparison: Comparison | None, settings: DriftConfig) -> Finding:
    """Trigger when the shares differ from the hold-out's beyond chance, one by ``drift.min_share_change`` or more."""
    rule = DriftRule.reference.value
    if comparison is None:
        return Finding(rule, False, NO_REFERENCE)
    changed = name_shares(
        [
            (share, f"{share.name} {share.share:.1%} was {before:.1%} on the hold-out")
            for share, before in changed_shares(shares, comparison, settings)
        ]
    )
    found = [test for test in comparison.tests if test.name == CLASSES_CHI_SQUARE]
    if any(test.counts for test in found):
        return Finding(rule, True, changed)
    if changed:
        return Finding(rule, False, "the shares differ from the hold-out's by no more than chance allows")
    return Finding(rule, False, f"no class's share is {settings.min_share_change:.1%} or more from the hold-out's")


def changed_shares(
    shares: Sequence[ClassShare], comparison: Comparison, settings: DriftConfig
) -> list[tuple[ClassShare, float]]:
    """Return the classes that are ``drift.min_share_change`` or more from their share on the hold-out, and that."""
    before = {name: found.reference or 0.0 for name, found in comparison.shares.items()}
    return [
        (share, before[share.name])
        for share in shares
        if abs(share.share - before[share.name]) >= settings.min_share_change
    ]


def distance(_: Sequence[ClassShare], comparison: Comparison | None, __: DriftConfig) -> Finding:
    """Trigger when the distribution of the predictions or of a feature differs beyond chance, and by enough.

    The chi-square test of the predicted classes and the embedding have rules of their own.
    """
    rule = DriftRule.distance.value
    if comparison is None:
        return Finding(rule, False, NO_REFERENCE)
    others = (CLASSES_CHI_SQUARE, EMBEDDING_AUC)
    found = [test for test in comparison.tests if test.kind == "mix" and test.name not in others and test.counts]
    if found:
        return Finding(rule, True, f"the batch is far from the hold-out: {name_tests(found)}")
    return Finding(rule, False, "no distribution is far from the hold-out's beyond chance")


def confidence(_: Sequence[ClassShare], comparison: Comparison | None, settings: DriftConfig) -> Finding:
    """Trigger when the mean probability of the predicted class fell by ``drift.min_confidence_drop``, beyond chance."""
    rule = DriftRule.confidence.value
    if comparison is None:
        return Finding(rule, False, NO_REFERENCE)
    now, before = comparison.confidence.batch or 0.0, comparison.confidence.reference or 0.0
    if less_sure(comparison, settings):
        return Finding(rule, True, f"the model is less sure: {now:.3f} where it was {before:.3f}")
    return Finding(rule, False, f"the model is as sure as on the hold-out, or surer ({now:.3f} and {before:.3f})")


def embedding(_: Sequence[ClassShare], comparison: Comparison | None, __: DriftConfig) -> Finding:
    """Trigger when a classifier tells the messages from the hold-out's with ``drift.min_auc`` or more."""
    rule = DriftRule.embedding.value
    if comparison is None:
        return Finding(rule, False, NO_REFERENCE)
    found = next((test for test in comparison.tests if test.name == EMBEDDING_AUC), None)
    if found is None:
        return Finding(rule, False, "the batch or the hold-out has too few messages with an embedding to compare")
    tells = "tells" if found.counts else "does not tell"
    return Finding(rule, found.counts, f"a classifier {tells} the batch from the hold-out (AUC {found.value:.3f})")


def less_sure(comparison: Comparison, settings: DriftConfig) -> bool:
    """Return whether the model is less sure than on the hold-out, beyond chance and by enough."""
    fall = (comparison.confidence.reference or 0.0) - (comparison.confidence.batch or 0.0)
    quality = [test for test in comparison.tests if test.kind == "quality"]
    return fall >= settings.min_confidence_drop and any(test.p_adjusted < settings.significance for test in quality)


def name_tests(tests: Sequence[TestResult]) -> str:
    """Return some comparisons with their values, in words."""
    named = ", ".join(f"{test.name} {test.value:.2f}" for test in tests[:_NAMED])
    return named + (f" and {len(tests) - _NAMED} more" if len(tests) > _NAMED else "")


RULES: dict[DriftRule, Rule] = {
    DriftRule.share: share,
    DriftRule.interval: interval,
    DriftRule.reference: reference,
    DriftRule.distance: distance,
    DriftRule.confidence: confidence,
    DriftRule.embedding: embedding,
}
