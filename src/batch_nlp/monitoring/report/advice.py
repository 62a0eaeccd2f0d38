"""What was done about a verdict, and what is left for a person to do, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from batch_nlp.monitoring.answer import Action
from batch_nlp.monitoring.verdict import Status

_RUN = "uv run start_batch_nlp.py pipeline="


@dataclass(frozen=True)
class Step:
    """Something that a person can do.

    Parameters
    ----------
    text : str
        What, and when.
    command : str or None
        What to type for it.
    """

    text: str
    command: str | None = None


@dataclass(frozen=True)
class Advice:
    """What was done, and what to do now.

    Parameters
    ----------
    done : str
    reason : str
        Why, where `done` does not say it.
    urgent : bool
        Whether something waits for a person.
    steps : list of Step
        Empty where there is nothing to do.
    """

    done: str
    urgent: bool
    steps: list[Step]
    reason: str = ""


_LOOK = Step("Read the messages named under “Messages to look at”: are they what the model was made for?")
_LABELS = Step(
    "Bring labels of newer messages to the raw folder (dataset.raw_dir); a later batch that rings can then retrain."
)
_ROLL_BACK = Step("If the new model turns out worse, go back to the one before:", f"{_RUN}rollback")
_BY_HAND = Step("To retrain by hand once labels of such messages are there:", f"{_RUN}feature && {_RUN}training")
_AT_WORK = Step("See whether a run is at work:", f"{_RUN}status")
_GO_ON = Step("If none is, start it again; it goes on where it stopped:", f"{_RUN}inference")
_LOG = Step("Read the log of the run, in 08_reporting/runs: its last lines name the error and the next step.")

_HEADLINES = {
    Status.OK: "In order",
    Status.DRIFT: "Drift",
    Status.INSUFFICIENT: "Too few messages for a verdict",
    Status.SKIPPED: "Nothing to judge",
}
_OUTCOMES = {
    Action.NONE: "recorded only",
    Action.ALERT: "alert, nothing was changed",
    Action.PROMOTED: "retrained, new champion",
    Action.REJECTED: "retrained, no new champion",
    Action.HELD_BACK: "retraining held back",
    Action.REWEIGHTED: "predicted again for its shares",
    Action.FAILED: "retraining failed",
}


def headline(document: Mapping[str, Any]) -> str:
    """Return verdict and response in a few words.

    Parameters
    ----------
    document : mapping
        From `batch_document`.
    """
    status, answer = Status(document["verdict"]["status"]), document.get("answer")
    if status is not Status.DRIFT or answer is None:
        return _HEADLINES[status]
    return f"{_HEADLINES[status]}: {_OUTCOMES[Action(answer['action'])]}"


def advice(document: Mapping[str, Any]) -> Advice:
    """Return what to tell the operator.

    Parameters
    ----------
    document : mapping
        From `batch_document`.
    """
    status, answer = Status(document["verdict"]["status"]), document.get("answer")
    if status is not Status.DRIFT:
        return _without_drift(status)
    if answer is None:
        return Advice("The response has not ended yet.", True, [_AT_WORK, _GO_ON])
    return _after_drift(Action(answer["action"]), answer, str(document.get("dataset")))


def _without_drift(status: Status) -> Advice:
    if status is Status.SKIPPED:
        step = Step("If messages were expected, see whether they reach the inbox, and whether they were quarantined.")
        return Advice("Nothing: there was nothing to judge.", False, [step])
    if status is Status.INSUFFICIENT:
        return Advice("Nothing: so few messages do not decide. Their predictions are there.", False, [])
    return Advice("Nothing had to be done.", False, [])


def _after_drift(action: Action, answer: Mapping[str, Any], dataset: str) -> Advice:
    before, champion, candidate = (answer.get(name) for name in ("champion_before", "champion", "candidate"))
    reason, again = str(answer.get("reason") or ""), answer.get("new_predictions")
    stays = f"The champion {champion} stays." if champion else "The champion stays."
    second = [Step(f"The second predictions are in {again}, beside the first ones.")] if again else []
    if action is Action.PROMOTED:
        done = f"A retraining gave a new champion: {champion} took the place of {before}."
        return Advice(done, False, [*second, _LOOK, _ROLL_BACK])
    if action is Action.REJECTED:
        card = [Step(f"The candidate and its card are in 06_models/{dataset}/{candidate}.")] if candidate else []
        return Advice(f"A retraining gave no new champion. {stays}", True, [_LOOK, *card, _LABELS], reason)
    if action is Action.HELD_BACK:
        return Advice(f"The breaker let no retraining follow. {stays}", True, [_LOOK, _LABELS], reason)
    if action is Action.REWEIGHTED:
        return Advice(
            f"The batch was predicted again for its own class shares. {stays}", False, [*second, _LOOK], reason
        )
    if action is Action.FAILED:
        return Advice(f"A retraining ended with an error. {stays}", True, [_LOG, _BY_HAND], reason)
    if action is Action.ALERT:
        return Advice("Nothing was changed; this is an alert.", True, [_LOOK, _BY_HAND], reason)
    return Advice("Nothing: the verdict was only recorded.", False, [_LOOK], reason)
