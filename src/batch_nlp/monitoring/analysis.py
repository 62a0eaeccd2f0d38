"""What is known of a batch beside its shares: the facts that reports show and rules judge."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from batch_nlp.monitoring.findings import Compared, TestResult
from batch_nlp.monitoring.verdict import Status, Verdict

__all__ = ["Analysis", "ChangedWord", "Compared", "Example", "Performance", "TestResult"]

_NOT_KNOWN = Compared(None, None)


@dataclass(frozen=True)
class ChangedWord:
    """A word whose share of the messages changed."""

    word: str
    # Share of the messages that hold it, in the batch and in the hold-out
    share: float
    reference_share: float
    p_value: float


@dataclass(frozen=True)
class Performance:
    """How good the predictions are: estimated from their probabilities, or measured where labels have come."""

    messages: int
    accuracy: float
    f1_macro: float
    f1_weighted: float


@dataclass(frozen=True)
class Example:
    """A message that a person should look at, by its id."""

    message_id: str
    predicted_label: str
    # Of the predicted class
    probability: float
    # For example ``least sure``
    why: str
    # The first characters of its text, where ``report.snippets`` asks for them
    snippet: str | None = None


@dataclass(frozen=True)
class Analysis:
    """Everything that is said of a batch."""

    batch: str
    # On the batch alone
    verdict: Verdict
    # On the last ``drift.window`` batches that the same model scored, this one included; None where that is 1
    window: Verdict | None = None
    window_batches: list[str] = field(default_factory=list)
    # Whether the mix of messages changed, or how sure the model is, or both, in words
    explanation: str = ""
    # The champion's own shares on its hold-out
    reference_shares: dict[str, float] = field(default_factory=dict)
    tests: list[TestResult] = field(default_factory=list)
    # Mean probability of the predicted class, mean entropy (nats), mean share of words that training has not seen
    confidence: Compared = _NOT_KNOWN
    entropy: Compared = _NOT_KNOWN
    unknown_words: Compared = _NOT_KNOWN
    # Share of the messages by language (ISO 639 code, or ``unknown`` where a text is too short to tell)
    languages: dict[str, Compared] = field(default_factory=dict)
    # Strongest change first
    changed_words: list[ChangedWord] = field(default_factory=list)
    # Estimated from the calibrated probabilities
    estimated: Performance | None = None
    # Class shares of the batch as estimated from its probabilities (Saerens et al., 2002)
    prior_shares: dict[str, float] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)
    # What the analysis took
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @property
    def deciding(self) -> Verdict:
        """The verdict that is acted on: the batch's, or the window's where only that one found drift."""
        if self.window is not None and self.window.status is Status.DRIFT and self.verdict.status is not Status.DRIFT:
            return self.window
        return self.verdict
