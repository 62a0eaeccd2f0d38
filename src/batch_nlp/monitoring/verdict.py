"""The verdict on a batch, from its shares and from what the rules find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from batch_nlp.config import Combine, DriftConfig
from batch_nlp.monitoring.facts import ClassShare, Comparison, Finding
from batch_nlp.monitoring.rules import RULES, class_shares

__all__ = ["ClassShare", "Finding", "Status", "Verdict", "judge"]


class Status(StrEnum):
    """What is said of a batch."""

    OK = "ok"
    DRIFT = "drift"
    INSUFFICIENT = "insufficient"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Verdict:
    """What is said of a batch, and why.

    Parameters
    ----------
    status : Status
    reason : str
        In words.
    shares : list of ClassShare
        Empty where nothing was predicted.
    findings : list of Finding
        One a rule, in the order of the settings; empty where nothing was judged.
    """

    status: Status
    reason: str
    shares: list[ClassShare]
    findings: list[Finding] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON values."""
        return asdict(self)


def judge(
    counts: Sequence[int], classes: Sequence[str], settings: DriftConfig, comparison: Comparison | None = None
) -> Verdict:
    """Judge a batch by the rules of the settings.

    Parameters
    ----------
    counts : sequence of int
        Predictions of each class.
    classes : sequence of str
        Their labels.
    settings : DriftConfig
        The rules, and the least number of messages.
    comparison : Comparison or None
        The batch beside the champion's hold-out; without it, rules that need it do not ring.
    """
    n = sum(counts)
    if n == 0:
        return Verdict(Status.SKIPPED, "no messages", [])
    shares = class_shares(counts, classes, settings)
    if n < settings.min_messages:
        return Verdict(Status.INSUFFICIENT, f"{n} messages are fewer than {settings.min_messages}", shares)
    findings = [RULES[rule](shares, comparison, settings) for rule in settings.rules]
    ringing = [finding.reason for finding in findings if finding.rings]
    silent = [finding.reason for finding in findings if not finding.rings]
    if ringing and (settings.combine is Combine.any or not silent):
        return Verdict(Status.DRIFT, "; ".join(ringing), shares, findings)
    reason = "; ".join(silent)
    if ringing:
        reason = f"{len(ringing)} of {len(findings)} rules ring ({'; '.join(ringing)}), and all must: {reason}"
    return Verdict(Status.OK, reason, shares, findings)
