"""The result of a simulation, per day and in total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from batch_nlp.config import Policy
from batch_nlp.metrics.confusion import ClassCounts
from batch_nlp.monitoring.findings import Status

# Days per window of macro F1, in the chart and for the comparison of policies
SHOWN_DAYS = 7
COMPARED_DAYS = 5
# A recovered policy is at most this far below `always`
RECOVERED = 0.02

Confusion = list[list[int]]


@dataclass(frozen=True)
class DayResult:
    """The result of one day under one policy."""

    day: int
    # 0, 4 (drift without a response) or 5 (a candidate failed the gate)
    exit_code: int
    # Verdict on the batch
    verdict: str
    # Candidates trained, published, and not published because they predict the same as the champion
    trainings: int
    promotions: int
    same: int
    # Whether the breaker held a retraining back
    held_back: bool
    # Version of the champion at the end of the day
    champion: str
    # Messages by true class (rows) and predicted class (columns), shape (k, k)
    confusion: Confusion

    @property
    def alarm(self) -> bool:
        """Whether the verdict was drift."""
        return self.verdict == Status.DRIFT

    @property
    def rejections(self) -> int:
        """Candidates that differ from the champion and failed the gate."""
        return self.trainings - self.promotions - self.same


def macro_f1(days: Sequence[DayResult]) -> float | None:
    """Return macro F1 over all messages of some days; None without messages."""
    confusion = np.array([day.confusion for day in days], dtype=np.int64).sum(axis=0)
    return float(ClassCounts.of(confusion).mean_f1("f1_macro")) if confusion.any() else None


@dataclass(frozen=True)
class Result:
    """The result of a simulation."""

    # Also the name of its folder
    name: str
    scenario: str
    # First day of the change; None if nothing changes
    change_day: int | None
    # Days until labels arrive
    label_delay: int
    # Settings that determine the result
    settings: dict[str, Any]
    seconds: float
    policies: dict[Policy, list[DayResult]]

    def since(self, policy: Policy, day: int) -> list[DayResult]:
        """Return the days of a policy from a given day on."""
        return [found for found in self.policies[policy] if found.day >= day]

    def sliding(self, policy: Policy) -> list[float | None]:
        """Return macro F1 over each day and the six days before it."""
        days = self.policies[policy]
        return [macro_f1(days[max(0, end - SHOWN_DAYS) : end]) for end in range(1, len(days) + 1)]

    def summary(self, policy: Policy) -> dict[str, float | None]:
        """Return the totals of a policy.

        `f1_macro` and `f1_macro_after` cover all messages, and those since the change; the other values count: alarms;
        candidates trained, published, refused by the gate, and equal to the champion; retrainings that the breaker
        held back; days from the change to the first training, and to the first day from which macro F1 over 5 days is
        at most 0.02 below that of `always`. None stands for no messages, no change or no such day.
        """
        days, change = self.policies[policy], self.change_day
        after = [] if change is None else self.since(policy, change)
        retrained = next((day.day for day in after if day.trainings), None)
        counted = ("alarm", "trainings", "promotions", "rejections", "same", "held_back")
        totals = {name: sum(getattr(day, name) for day in days) for name in counted}
        return {
            "f1_macro": macro_f1(days),
            "f1_macro_after": macro_f1(after),
            "alarms": totals.pop("alarm"),
            **totals,
            "days_to_retraining": None if change is None or retrained is None else retrained - change,
            "days_to_recovery": self._days_to_recovery(policy),
        }

    def _days_to_recovery(self, policy: Policy) -> int | None:
        if self.change_day is None or Policy.always not in self.policies:
            return None
        own, always = self.since(policy, self.change_day), self.since(Policy.always, self.change_day)
        for start in range(len(own) - COMPARED_DAYS + 1):
            window = slice(start, start + COMPARED_DAYS)
            found, best = macro_f1(own[window]), macro_f1(always[window])
            if found is not None and best is not None and found >= best - RECOVERED:
                return start
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return {
            "name": self.name,
            "scenario": self.scenario,
            "change_day": self.change_day,
            "label_delay": self.label_delay,
            "settings": self.settings,
            "seconds": round(self.seconds, 1),
            "policies": {
                policy.value: {
                    "summary": self.summary(policy),
                    "days": [
                        {**asdict(day), "f1_macro": macro_f1([day]), "f1_macro_7_days": sliding}
                        for day, sliding in zip(days, self.sliding(policy), strict=True)
                    ],
                }
                for policy, days in self.policies.items()
            },
        }
