"""Notifications of verdicts with their answers, and of trainings that a person asked for."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from batch_nlp.config import Event
from batch_nlp.errors import DataError
from batch_nlp.monitoring.findings import Action, Answer, Status, Verdict
from batch_nlp.notify.notification import Notification
from batch_nlp.notify.notifier import notify
from batch_nlp.runner.context import RunContext

if TYPE_CHECKING:
    from batch_nlp.training.run import TrainingResult

# A failed retraining has the notification of its failure, with the exit code
_EVENTS = {
    Action.NONE: Event.drift,
    Action.ALERT: Event.drift,
    Action.REWEIGHTED: Event.drift,
    Action.HELD_BACK: Event.held_back,
    Action.PROMOTED: Event.promotion,
    Action.REJECTED: Event.rejection,
}


def notify_answer(run: RunContext, batch: str, verdict: Verdict, answer: Answer) -> None:
    """Send a notification of a batch that drifted, with what followed; nothing for other batches."""
    event = _EVENTS.get(answer.action)
    if verdict.status is not Status.DRIFT or event is None:
        return
    drift = f"drift in batch {batch}: " if event in {Event.promotion, Event.rejection} else ""
    _notify(
        run,
        event,
        answer.champion,
        batch=batch,
        verdict=verdict.status.value,
        reason=f"{drift}{verdict.reason}",
        action=answer.action.value,
        action_reason=answer.reason or None,
    )


def notify_training(run: RunContext, result: TrainingResult) -> None:
    """Send a notification of a training: a new champion, or a candidate that failed its gate."""
    if (decision := result.decision) is not None:
        event = Event.promotion if decision.passed else Event.rejection
        reason = f"candidate {result.candidate} of a manual training"
        _notify(run, event, result.version, reason=reason, action_reason=decision.failures or None)


def _notify(run: RunContext, event: Event, champion: str | None, **facts: Any) -> None:
    if champion is None:
        with suppress(DataError):  # a damaged pointer must not fail a run that has ended
            champion = run.registry.champion_version()
    about = Notification(event, run.config.dataset.name, run.name, champion=champion, **facts)
    notify(run.config.notify, about)
