"""The small facts that verdicts and analyses are made of."""

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
    # Whether it lies outside its band by the rule in force, by the literal one where no rule judges the band; with
    # classes for which no batch can satisfy the band, whether the rule ``reference`` triggers for it
    out: bool


@dataclass(frozen=True)
class Finding:
    """What one rule found."""

    # Its name in ``drift.rules``
    rule: str
    triggers: bool
    # In words, whether it triggers or not
    reason: str


@dataclass(frozen=True)
class TestResult:
    """One comparison of a batch with the champion's hold-out."""

    # not a test case, whatever its name
    __test__ = False

    # What was compared and how, for example ``psi of the predicted classes``
    name: str
    # ``mix`` (which messages came: shares, features, words) or ``quality`` (how sure the model is)
    kind: str
    value: float
    # From the null distribution at this batch's size
    p_value: float
    # Corrected for all comparisons of the batch
    p_adjusted: float
    # Whether the difference is significant and large enough to matter
    counts: bool


@dataclass(frozen=True)
class Compared:
    """A figure of the batch beside that of the champion's hold-out; None where it cannot be known."""

    batch: float | None
    reference: float | None


@dataclass(frozen=True)
class Comparison:
    """A batch beside the champion's hold-out: what the rules judge that need more than the batch's shares."""

    shares: dict[str, Compared]
    # Mean probability of the predicted class
    confidence: Compared
    tests: list[TestResult]
