"""The rules that can call a batch drifted, one function each.

A rule gets the shares of the predicted classes and, if the champion has a reference, the comparison of the batch with
the hold-out. It returns whether it triggers, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from batch_nlp.config import Combine, DriftConfig, DriftRule
from batch_nlp.monitoring.band import BAND_RULES, band_of
from batch_nlp.monitoring.findings import ClassShare, Comparison, Finding, TestResult

# Names of the tests that rules look up by name
CLASSES_CHI_SQUARE, EMBEDDING_AUC = "chi-square of the predicted classes", "auc of the embedding"
NO_REFERENCE = "the champion has no reference: train again"
# Most tests that a reason names
_NAMED = 4
# Most classes that a reason names
MOST_CLASSES = 5

Rule = Callable[[Sequence[ClassShare], Comparison | None, DriftConfig], Finding]


def class_shares(counts: Sequence[int], classes: Sequence[str], settings: DriftConfig) -> list[ClassShare]:
    """Return the share of each class, and whether it is outside its band by the rules in force.

    Parameters
    ----------
    counts : sequence of int
        Predictions of each class, at least one in total.
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
    """Return ``under`` or ``over`` if a class is outside its band by a rule, else None."""
    low, high = band_of(settings, share.name)
    least, greatest = (share.share, share.share) if rule is DriftRule.share else (share.upper, share.lower)
    return "under" if least < low else "over" if greatest > high else None


def _band(rule: DriftRule, shares: Sequence[ClassShare], settings: DriftConfig) -> Finding:
    """Apply a rule on the band."""
    out = []
    for share in shares:
        if side := _side(rule, share, settings):
            bound = band_of(settings, share.name)[side == "over"]
            out.append((share, f"{share.name} {share.share:.1%} is {side} {100 * bound:.3g}%"))
    own = "its own band" if settings.bands else f"{100 * settings.low:.3g}% and {100 * settings.high:.3g}%"
    return Finding(rule.value, bool(out), name_shares(out) or f"every class is within {own}")


def name_shares(found: Sequence[tuple[ClassShare, str]]) -> str:
    """Join the words about some classes; if there are many, those about the largest, and the number of the others."""
    if len(found) > MOST_CLASSES:
        found = sorted(found, key=lambda one: -one[0].share)
    named = "; ".join(words for _, words in found[:MOST_CLASSES])
    return named + (f"; and {len(found) - MOST_CLASSES} more" if len(found) > MOST_CLASSES else "")


def share(shares: Sequence[ClassShare], _: Comparison | None, settings: DriftConfig) -> Finding:
    """Trigger when the share of a class lies outside its band: the mission's rule, taken literally."""
    return _band(DriftRule.share, shares, settings)


def interval(shares: Sequence[ClassShare], _: Comparison | None, settings: DriftConfig) -> Finding:
    """Trigger when the Wilson interval of a class's share lies wholly outside its band."""
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
        return Finding(rule, False, "the shares differ from the hold-out's no more than by chance")
    return Finding(rule, False, f"no class's share is {settings.min_share_change:.1%} or more from the hold-out's")


def changed_shares(
    shares: Sequence[ClassShare], comparison: Comparison, settings: DriftConfig
) -> list[tuple[ClassShare, float]]:
    """Return the classes that moved ``drift.min_share_change`` or more from their hold-out share, and that share."""
    before = {name: found.reference or 0.0 for name, found in comparison.shares.items()}
    return [
        (share, before[share.name])
        for share in shares
        if abs(share.share - before[share.name]) >= settings.min_share_change
    ]


def distance(_: Sequence[ClassShare], comparison: Comparison | None, __: DriftConfig) -> Finding:
    """Trigger when the distribution of the predictions or of a feature differs beyond chance, and enough to matter.

    The chi-square test of the predicted classes and the embedding have their own rules.
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
    """Trigger when a classifier tells the messages from the hold-out's with an AUC of ``drift.min_auc`` or more."""
    rule = DriftRule.embedding.value
    if comparison is None:
        return Finding(rule, False, NO_REFERENCE)
    found = next((test for test in comparison.tests if test.name == EMBEDDING_AUC), None)
    if found is None:
        return Finding(rule, False, "the batch or the hold-out has too few messages with an embedding to compare")
    tells = "can" if found.counts else "cannot"
    reason = f"a classifier {tells} tell the batch from the hold-out (AUC {found.value:.3f})"
    return Finding(rule, found.counts, reason)


def less_sure(comparison: Comparison, settings: DriftConfig) -> bool:
    """Return whether the model is less sure than on the hold-out, beyond chance and enough to matter."""
    fall = (comparison.confidence.reference or 0.0) - (comparison.confidence.batch or 0.0)
    quality = [test for test in comparison.tests if test.kind == "quality"]
    return fall >= settings.min_confidence_drop and any(test.p_adjusted < settings.significance for test in quality)


def name_tests(tests: Sequence[TestResult]) -> str:
    """Return the names and values of some tests; of many, the first ones and the number of the others."""
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
