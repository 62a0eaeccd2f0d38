"""The rules that can call a batch drifted, and the verdict that combines them.

Rules on the band need only the shares of the predicted classes, all others the comparison of the batch with the
champion's hold-out. A rule returns whether it triggers, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from batch_nlp.config import Combine, DriftConfig, DriftRule
from batch_nlp.errors import count
from batch_nlp.monitoring.band import BAND_RULES, band_of, parents_of, why_impossible
from batch_nlp.monitoring.findings import ClassShare, Comparison, Finding, Status, TestResult, Verdict

# Names of the tests that rules look up by name
CLASSES_CHI_SQUARE, EMBEDDING_AUC = "chi-square of the predicted classes", "auc of the embedding"
NO_REFERENCE = "the champion has no reference: train again"
# Most tests that a reason names
_NAMED = 4
# Most classes that a reason names
MOST_CLASSES = 5

_OnHoldOut = Callable[[Sequence[ClassShare], Comparison, DriftConfig], tuple[bool, str]]


def class_shares(counts: Sequence[int], classes: Sequence[str], settings: DriftConfig) -> list[ClassShare]:
    """Return the share of each class, of at least one prediction, and whether it is outside its band."""
    from scipy.stats import binomtest  # late: it takes half a second, and most runs judge no batch

    n = sum(counts)
    in_force = [rule for rule in settings.rules if rule in BAND_RULES] or [DriftRule.share]
    combined = all if settings.combine is Combine.all else any
    shares = []
    for name, number in zip(classes, counts, strict=True):
        lower, upper = binomtest(number, n).proportion_ci(settings.confidence, "wilson")
        share = ClassShare(name, number, number / n, float(lower), float(upper), False)
        out = combined(_side(rule, share, settings) for rule in in_force)
        shares.append(replace(share, out=out))
    return shares


def _side(rule: DriftRule, share: ClassShare, settings: DriftConfig) -> str | None:
    """Return ``under`` or ``over`` if a class is outside its band by a rule, else None."""
    low, high = band_of(settings, share.name)
    least, greatest = (share.share, share.share) if rule is DriftRule.share else (share.upper, share.lower)
    return "under" if least < low else "over" if greatest > high else None


def apply_rule(
    rule: DriftRule, shares: Sequence[ClassShare], comparison: Comparison | None, settings: DriftConfig
) -> Finding:
    """Apply one rule; without a comparison, only the rules on the band can trigger."""
    if rule in BAND_RULES:
        triggers, reason = outside_band(rule, shares, settings)
    elif comparison is None:
        triggers, reason = False, NO_REFERENCE
    else:
        triggers, reason = _ON_HOLD_OUT[rule](shares, comparison, settings)
    return Finding(rule.value, triggers, reason)


def outside_band(rule: DriftRule, shares: Sequence[ClassShare], settings: DriftConfig) -> tuple[bool, str]:
    """Trigger when the share of a class lies outside its band.

    The rule `share`, the mission's rule, judges the share itself. The rule `interval` triggers only when the Wilson
    interval of the share lies wholly outside the band.
    """
    out = []
    for share in shares:
        if side := _side(rule, share, settings):
            bound = band_of(settings, share.name)[side == "over"]
            out.append((share, f"{share.name} {share.share:.1%} is {side} {100 * bound:.3g}%"))
    own = "its own band" if settings.bands else f"{100 * settings.low:.3g}% and {100 * settings.high:.3g}%"
    return bool(out), name_shares(out) or f"every class is within {own}"


def name_shares(found: Sequence[tuple[ClassShare, str]]) -> str:
    """Join the words about some classes; if there are many, those about the largest, and the number of the others."""
    if len(found) > MOST_CLASSES:
        found = sorted(found, key=lambda one: -one[0].share)
    named = "; ".join(words for _, words in found[:MOST_CLASSES])
    return named + (f"; and {len(found) - MOST_CLASSES} more" if len(found) > MOST_CLASSES else "")


def _reference(shares: Sequence[ClassShare], comparison: Comparison, settings: DriftConfig) -> tuple[bool, str]:
    """Trigger when the shares differ from the hold-out's beyond chance, one by ``drift.min_share_change`` or more."""
    changed = name_shares(
        [
            (share, f"{share.name} {share.share:.1%} was {before:.1%} on the hold-out")
            for share, before in changed_shares(shares, comparison, settings)
        ]
    )
    if any(test.counts for test in comparison.tests if test.name == CLASSES_CHI_SQUARE):
        return True, changed
    if changed:
        return False, "the shares differ from the hold-out's no more than by chance"
    return False, f"no class's share is {settings.min_share_change:.1%} or more from the hold-out's"


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


def _distance(_: Sequence[ClassShare], comparison: Comparison, __: DriftConfig) -> tuple[bool, str]:
    """Trigger when the distribution of the predictions or of a feature differs beyond chance, and enough to matter.

    The chi-square test of the predicted classes and the embedding have their own rules.
    """
    others = (CLASSES_CHI_SQUARE, EMBEDDING_AUC)
    found = [test for test in comparison.tests if test.kind == "mix" and test.name not in others and test.counts]
    if found:
        return True, f"the batch is far from the hold-out: {name_tests(found)}"
    return False, "no distribution is far from the hold-out's beyond chance"


def _confidence(_: Sequence[ClassShare], comparison: Comparison, settings: DriftConfig) -> tuple[bool, str]:
    """Trigger when the mean probability of the predicted class fell by ``drift.min_confidence_drop``, beyond chance."""
    now, before = comparison.confidence.batch or 0.0, comparison.confidence.reference or 0.0
    if less_sure(comparison, settings):
        return True, f"the model is less sure: {now:.3f} where it was {before:.3f}"
    return False, f"the model is as sure as on the hold-out, or surer ({now:.3f} and {before:.3f})"


def _embedding(_: Sequence[ClassShare], comparison: Comparison, __: DriftConfig) -> tuple[bool, str]:
    """Trigger when a classifier tells the messages from the hold-out's with an AUC of ``drift.min_auc`` or more."""
    found = next((test for test in comparison.tests if test.name == EMBEDDING_AUC), None)
    if found is None:
        return False, "the batch or the hold-out has too few messages with an embedding to compare"
    tells = "can" if found.counts else "cannot"
    return found.counts, f"a classifier {tells} tell the batch from the hold-out (AUC {found.value:.3f})"


def less_sure(comparison: Comparison, settings: DriftConfig) -> bool:
    """Return whether the model is less sure than on the hold-out, beyond chance and enough to matter."""
    fall = (comparison.confidence.reference or 0.0) - (comparison.confidence.batch or 0.0)
    quality = [test for test in comparison.tests if test.kind == "quality"]
    return fall >= settings.min_confidence_drop and any(test.p_adjusted < settings.significance for test in quality)


def name_tests(tests: Sequence[TestResult]) -> str:
    """Return the names and values of some tests; of many, the first ones and the number of the others."""
    named = ", ".join(f"{test.name} {test.value:.2f}" for test in tests[:_NAMED])
    return named + (f" and {len(tests) - _NAMED} more" if len(tests) > _NAMED else "")


_ON_HOLD_OUT: dict[DriftRule, _OnHoldOut] = {
    DriftRule.reference: _reference,
    DriftRule.distance: _distance,
    DriftRule.confidence: _confidence,
    DriftRule.embedding: _embedding,
}


def judge(
    counts: Sequence[int], classes: Sequence[str], settings: DriftConfig, comparison: Comparison | None = None
) -> Verdict:
    """Judge a batch, which has so many predictions of each class, by the rules of the settings.

    Without a comparison with the champion's hold-out, the rules that need it do not trigger.
    """
    n = sum(counts)
    if n == 0:
        return Verdict(Status.SKIPPED, "no messages were predicted", [])
    shares, parents = _shares(counts, classes, settings, comparison)
    if n < settings.min_messages:
        reason = f"{count(n, 'message')}, fewer than {settings.min_messages}"
        return Verdict(Status.INSUFFICIENT, reason, shares, parents=parents)
    findings = [
        apply_rule(rule, parents or shares if rule in BAND_RULES else shares, comparison, settings)
        for rule in settings.rules
    ]
    triggered = [finding.reason for finding in findings if finding.triggers]
    quiet = [finding.reason for finding in findings if not finding.triggers]
    if triggered and (settings.combine is Combine.any or not quiet):
        return Verdict(Status.DRIFT, "; ".join(triggered), shares, findings, parents)
    reason = "; ".join(quiet)
    if triggered:
        found = f"{len(triggered)} of {len(findings)} rules triggered ({'; '.join(triggered)})"
        reason = f"{found}, drift.combine=all needs every one: {reason}"
    return Verdict(Status.OK, reason, shares, findings, parents)


def _shares(
    counts: Sequence[int], classes: Sequence[str], settings: DriftConfig, comparison: Comparison | None
) -> tuple[list[ClassShare], list[ClassShare]]:
    """Return the shares of the classes and, in a hierarchy, of their parents, and whether each is outside its band."""
    shares, groups = class_shares(counts, classes, settings), parents_of(classes)
    sums = [sum(counts[index] for index in leaves) for _, leaves in groups]
    parents = class_shares(sums, [name for name, _ in groups], settings) if groups else []
    if why_impossible(settings, classes):  # the band says nothing: the rule `reference` decides which classes are out
        changed = []
        if comparison and apply_rule(DriftRule.reference, shares, comparison, settings).triggers:
            changed = [share for share, _ in changed_shares(shares, comparison, settings)]
        return [replace(share, out=share in changed) for share in shares], [replace(one, out=False) for one in parents]
    for parent, (_, leaves) in zip(parents, groups, strict=True):
        for index in leaves:
            shares[index] = replace(shares[index], out=parent.out)
    return shares, parents
