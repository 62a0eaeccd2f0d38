"""What followed from a verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Action(StrEnum):
    """What was done about a verdict."""

    NONE = "none"
    ALERT = "alert"
    # a retraining gave a new champion
    PROMOTED = "promoted"
    # a retraining gave a candidate that failed its gate
    REJECTED = "rejected"
    # the breaker let no retraining follow
    HELD_BACK = "held back"
    REWEIGHTED = "reweighted"
    # a retraining ended with an error
    FAILED = "failed"


@dataclass(frozen=True)
class Answer:
    """What followed from a verdict, and why."""

    action: Action
    reason: str = ""
    candidate: str | None = None
    # The champion's version before and after
    champion_before: str | None = None
    champion: str | None = None
    # File in the batch's folder that holds its second predictions, where there are some
    new_predictions: str | None = None
    # What the decision rests on, for example labels that are new and labels that are needed
    figures: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)
