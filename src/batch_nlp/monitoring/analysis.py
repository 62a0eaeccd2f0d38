"""The result of analysing a batch: what reports show beside the verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from batch_nlp.monitoring.findings import Compared, TestResult
from batch_nlp.monitoring.verdict import Status, Verdict

__all__ = ["Analysis", "ChangedWord", "Compared", "Example", "Performance", "TestResult"]

_NOT_KNOWN = Compared(None, None)


@dataclass(frozen=True)
class ChangedWord:
    """A word that is in more or fewer messages than in the hold-out."""

    word: str
    # Share of the messages with the word, in the batch and in the hold-out
    share: float
    reference_share: float
    p_value: float


@dataclass(frozen=True)
class Performance:
    """Quality of predictions: estimated from their probabilities, or measured on labels that have arrived."""

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
    # Why it was chosen, for example ``least sure``
    why: str
    # The first characters of its text, if ``report.snippets`` asks for them
    snippet: str | None = None


@dataclass(frozen=True)
class Analysis:
    """Everything that is known about a batch."""

    batch: str
    # On the batch alone
    verdict: Verdict
    # On the last ``drift.window`` batches that the same model scored, including this one; None if that is 1
    window: Verdict | None = None
    window_batches: list[str] = field(default_factory=list)
    # In words: whether the mix of messages changed, or the model's confidence, or both
    explanation: str = ""
    # The champion's own shares on its hold-out
    reference_shares: dict[str, float] = field(default_factory=dict)
    tests: list[TestResult] = field(default_factory=list)
    # Mean probability of the predicted class, mean entropy (nats), mean share of words that training did not see
    confidence: Compared = _NOT_KNOWN
    entropy: Compared = _NOT_KNOWN
    unknown_words: Compared = _NOT_KNOWN
    # Share of the messages by language (ISO 639 code, or ``unknown`` for short texts)
    languages: dict[str, Compared] = field(default_factory=dict)
    # Strongest change first
    changed_words: list[ChangedWord] = field(default_factory=list)
    # Estimated from the calibrated probabilities
    estimated: Performance | None = None
    # Class shares of the batch, estimated from its probabilities (Saerens et al., 2002)
    prior_shares: dict[str, float] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)
    # Duration of the analysis
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the analysis as JSON values."""
        return asdict(self)

    @property
    def deciding(self) -> Verdict:
        """The verdict that is acted on: the batch's, or the window's if only the window drifted."""
        if self.window is not None and self.window.status is Status.DRIFT and self.verdict.status is not Status.DRIFT:
            return self.window
        return self.verdict
