"""What monitoring finds out about a batch: shares, tests, the verdict, the analysis, and the answer to the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


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


class Status(StrEnum):
    """The outcome of judging a batch."""

    OK = "ok"
    DRIFT = "drift"
    INSUFFICIENT = "insufficient"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Verdict:
    """Whether a batch has drifted, and why."""

    status: Status
    reason: str
    # Empty if nothing was predicted
    shares: list[ClassShare]
    # One per rule, in the order of the settings; empty if nothing was judged
    findings: list[Finding] = field(default_factory=list)
    # If the classes are the leaves of a hierarchy, the shares of their parents. The band applies to the parents, and a
    # leaf is out if its parent is
    parents: list[ClassShare] = field(default_factory=list)


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
    confidence: Compared = Compared(None, None)
    entropy: Compared = Compared(None, None)
    unknown_words: Compared = Compared(None, None)
    # Share of the messages by language (ISO 639 code, or ``unknown`` for short texts)
    languages: dict[str, Compared] = field(default_factory=dict)
    # Strongest change first
    changed_words: list[ChangedWord] = field(default_factory=list)
    # Estimated from the calibrated probabilities
    estimated: Performance | None = None
    # Class shares of the batch, estimated from its probabilities (Saerens et al., 2002)
    prior_shares: dict[str, float] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)
    # What the model predicts for messages of no class; None if it always predicts a class
    abstained: str | None = None
    # Duration of the analysis
    seconds: float = 0.0

    @property
    def deciding(self) -> Verdict:
        """The verdict that is acted on: the batch's, or the window's if only the window drifted."""
        if self.window is not None and self.window.status is Status.DRIFT and self.verdict.status is not Status.DRIFT:
            return self.window
        return self.verdict


class Action(StrEnum):
    """What a run did about a verdict."""

    NONE = "none"
    ALERT = "alert"
    # a retraining led to a new champion
    PROMOTED = "promoted"
    # a retraining led to a candidate that failed its gate
    REJECTED = "rejected"
    # the breaker did not allow a retraining
    HELD_BACK = "held back"
    REWEIGHTED = "reweighted"
    # a retraining ended in an error
    FAILED = "failed"


@dataclass(frozen=True)
class Answer:
    """What a run did about a verdict, and why."""

    action: Action
    reason: str = ""
    candidate: str | None = None
    # The champion's version, before and after
    champion_before: str | None = None
    champion: str | None = None
    # File in the batch's folder with its second predictions, if there are any
    new_predictions: str | None = None
    # The numbers behind the decision, for example new labels and needed labels
    figures: dict[str, float] = field(default_factory=dict)
