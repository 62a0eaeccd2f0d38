"""Notifications of verdicts with their answers, and of trainings that a person asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    notification = Notification(
        event,
        run.config.dataset.name,
        run.name,
        batch,
        verdict.status.value,
        f"drift in batch {batch}: {verdict.reason}" if event in {Event.promotion, Event.rejection} else verdict.reason,
        answer.action.value,
        answer.reason or None,
        answer.champion or _champion(run),
    )
    notify(run.config.notify, notification)


def notify_training(run: RunContext, result: TrainingResult) -> None:
    """Send a notification of a training: a new champion, or a candidate that failed its gate."""
    if result.decision is None:
        return
    notification = Notification(
        Event.promotion if result.decision.passed else Event.rejection,
        run.config.dataset.name,
        run.name,
        reason=f"candidate {result.candidate} of a manual training",
        action_reason=result.decision.failures or None,
        champion=result.version or _champion(run),
    )
    notify(run.config.notify, notification)


def _champion(run: RunContext) -> str | None:
    """Return the champion's version; None if its pointer is damaged, which must not fail a run that has ended."""
    try:
        return run.registry.champion_version()
    except DataError:
        return None
