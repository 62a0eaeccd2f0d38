"""The answer to a verdict: what a run did about it, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


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

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        return asdict(self)
