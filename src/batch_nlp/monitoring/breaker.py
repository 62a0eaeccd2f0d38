"""The breaker: which alarms may lead to a retraining.

An alarm that a retraining has answered must not cause another retraining every night. The breaker reads the decision
log and keeps no state of its own, so that a run after a kill, and a person, see the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from batch_nlp.config import DriftConfig
from batch_nlp.monitoring.statistics.homogeneity import chi_square


class State(StrEnum):
    """State of the breaker."""

    # the next alarm retrains
    CLOSED = "closed"
    # the last change was answered: a retraining needs many new labels, or another change
    OPEN = "open"
    # the last change waits for labels of its own batches
    HALF_OPEN = "half-open"


class Outcome(StrEnum):
    """How a retraining ended."""

    PROMOTED = "promoted"
    REJECTED = "rejected"
    # the candidate predicts what the champion predicts
    SAME = "same"


@dataclass(frozen=True)
class Alarm:
    """A batch, or a window of batches, that triggered the rule."""

    batch: str
    # Predictions of each class, in the batch or in the window
    counts: Sequence[int]
    # Version of the model that predicted them
    model: str


@dataclass(frozen=True)
class Labels:
    """The labels that a retraining could learn from."""

    # Fingerprint of the labels and number of labelled messages, as the decision log keeps them; independent of how the
    # features are computed. Logs of earlier commits have other entries before the last one.
    data: list[Any]
    # Rows that the champion was trained on
    training_rows: int
    # Returns the number of labelled messages in the batches from the named one on
    since: Callable[[str], int]


@dataclass(frozen=True)
class Ruling:
    """The breaker's decision on an alarm."""

    # Whether a retraining may follow
    allowed: bool
    state: State
    reason: str
    # First batch of the change of the data that the alarm belongs to
    change: str
    # Whether labels of the change's batches have arrived, so that a retraining now would answer the change
    answered: bool
    figures: dict[str, float] = field(default_factory=dict)


def rule_on(
    alarm: Alarm, labels: Labels, decisions: Sequence[dict[str, Any]], dataset: str, settings: DriftConfig
) -> Ruling:
    """Decide whether a retraining may follow an alarm.

    The first alarm always retrains. After that, a change of the data leads to one retraining, and only if one of these
    conditions holds:

    - No retraining has yet had labels of the change's batches, and such labels have arrived now (half-open). An alarm
      whose shares differ significantly from those of the last retraining is another change (chi-square test of
      homogeneity, ``drift.change_significance``).
    - Enough labels are new since the last retraining (open): ``drift.min_new_labels`` times the number of rows that the
      champion was trained on, doubled for each consecutive rejected candidate, up to that number of rows.

    `decisions` is the decision log, oldest first; decisions on other datasets are ignored.
    """
    log = _log(decisions, dataset)
    places = [place for place, decision in enumerate(log) if decision["decision"] == "retraining"]
    if not places:
        answered = labels.since(alarm.batch) >= settings.min_messages
        return Ruling(True, State.CLOSED, "it is the first alarm", alarm.batch, answered)
    last, after = log[places[-1]], log[places[-1] + 1 :]
    differs, p_value = _differs(alarm, last, settings.change_significance)
    change = _change(alarm, last, after, differs)
    of_change = labels.since(change)
    needed = new_labels_needed(log, labels.training_rows, settings)
    new = int(labels.data[-1]) - int(last["data"][-1])
    figures = {
        "new_labels": float(new),
        "new_labels_needed": float(needed),
        "labels_of_the_change": float(of_change),
        "p_value_of_another_change": p_value,
    }
    waiting = differs or not last["answered"]
    state = State.HALF_OPEN if waiting else State.OPEN
    answered = of_change >= settings.min_messages
    if last["data"] == labels.data:
        reason = "the last retraining already had this labelled data"
        return Ruling(False, state, reason, change, answered, figures)
    answers = answered or not waiting
    if waiting and answered:
        what = "this is another change than the last one" if differs else "labels of the drifted batches have arrived"
        return Ruling(True, state, f"{what}, with {of_change:,} labels", change, answers, figures)
    if new >= needed:
        return Ruling(True, state, f"{new:,} labels are new", change, answers, figures)
    lack = f"{new:,} labels are new since the last retraining and {needed:,} are needed"
    if waiting:
        lack += f", or {settings.min_messages} labels of the batches since {change}, which have {of_change:,}"
    return Ruling(False, state, lack, change, answers, figures)


def _log(decisions: Sequence[dict[str, Any]], dataset: str) -> list[dict[str, Any]]:
    """Return the decisions on a dataset, without retrainings of earlier commits that have no outcome."""
    return [
        decision
        for decision in decisions
        if decision.get("dataset") == dataset and (decision["decision"] != "retraining" or "outcome" in decision)
    ]


def new_labels_needed(log: Sequence[dict[str, Any]], training_rows: int, settings: DriftConfig) -> int:
    """Return how many new labels another retraining needs once the change has been answered."""
    outcomes = [decision["outcome"] for decision in log if decision["decision"] == "retraining"]
    rejected = 0
    for outcome in reversed(outcomes):
        if outcome == Outcome.PROMOTED:
            break
        rejected += outcome == Outcome.REJECTED
    share = min(settings.min_new_labels * 2.0 ** min(rejected, 30), max(1.0, settings.min_new_labels))
    return max(1, round(share * training_rows))


def _differs(alarm: Alarm, last: dict[str, Any], significance: float) -> tuple[bool, float]:
    """Return whether an alarm is another change than the last one, and the p-value.

    Two models may predict the same messages differently, so the last change counts by the shares that the present
    model predicts for its batches. Where those are unknown, the alarm counts as the same change.
    """
    counts = last["counts"] if alarm.model == last["model"] else last["counts_after"].get(alarm.model)
    if counts is None or len(counts) != len(alarm.counts):
        return False, 1.0
    p_value = chi_square(np.asarray(alarm.counts), np.asarray(counts))[1]
    return p_value < significance, p_value


def _change(alarm: Alarm, last: dict[str, Any], after: Sequence[dict[str, Any]], differs: bool) -> str:
    """Return the first batch of the change that an alarm belongs to."""
    if not differs:
        return str(last["change"])
    change = alarm.batch
    for decision in reversed(after):
        if decision["decision"] != "held back":
            continue
        if decision["change"] == last["change"]:
            break
        change = str(decision["change"])
    return change


def breaker_state(decisions: Sequence[dict[str, Any]], dataset: str) -> tuple[State, str]:
    """Return the state of the breaker, and the reason in words."""
    log = _log(decisions, dataset)
    held_back = None
    for decision in reversed(log):
        if decision["decision"] == "held back":
            held_back = held_back or decision
        elif decision["decision"] == "retraining":
            if held_back is not None:
                return State(held_back["state"]), f"held back: {held_back['reason']}"
            when = f"last retraining {decision['at'][:16]}, {decision['outcome']}"
            if decision["answered"]:
                return State.OPEN, f"{when}; the next needs many new labels or another change"
            return State.HALF_OPEN, f"{when}; the next needs labels of the drifted batches"
    return State.CLOSED, "the next alarm retrains"
