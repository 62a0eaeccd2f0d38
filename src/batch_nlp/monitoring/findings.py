"""The facts that a verdict consists of: class shares, findings of the rules, and tests against the hold-out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClassShare:
    """One class's share of the predictions."""

    name: str
    messages: int
    share: float
    lower: float
    upper: float
    # Whether the share is outside its band, by the rules on the band or, without any, by the rule ``share``. If no
    # batch can satisfy the band with these classes, whether the rule ``reference`` triggers because of this class
    out: bool


@dataclass(frozen=True)
class Finding:
    """What one rule found."""

    # Name of the rule in ``drift.rules``
    rule: str
    triggers: bool
    # Why the rule triggers, or why it does not
    reason: str


@dataclass(frozen=True)
class TestResult:
    """One test of a batch against the champion's hold-out."""

    # keeps pytest from collecting this class
    __test__ = False

    # Statistic and what it compares, for example ``psi of the predicted classes``
    name: str
    # ``mix`` (of messages: shares, features, words) or ``quality`` (confidence of the model)
    kind: str
    value: float
    # From the null distribution at the size of this batch
    p_value: float
    # Corrected for the number of tests on the batch
    p_adjusted: float
    # Whether the difference is significant and large enough to matter
    counts: bool


@dataclass(frozen=True)
class Compared:
    """A figure of the batch and of the champion's hold-out; None where it is unknown."""

    batch: float | None
    reference: float | None


@dataclass(frozen=True)
class Comparison:
    """A batch compared with the champion's hold-out: what rules need that judge by more than the batch's shares."""

    shares: dict[str, Compared]
    # Mean probability of the predicted class
    confidence: Compared
    tests: list[TestResult]
