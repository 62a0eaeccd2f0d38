"""The verdict on a batch: the rules of the settings, combined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from batch_nlp.config import Combine, DriftConfig, DriftRule
from batch_nlp.errors import count
from batch_nlp.monitoring.band import BAND_RULES, parents_of, why_impossible
from batch_nlp.monitoring.findings import ClassShare, Comparison, Status, Verdict
from batch_nlp.monitoring.rules import apply_rule, changed_shares, class_shares


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
