"""The content of a notification, as a document and as a text."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from batch_nlp.config import Event, NotifyFormat
from batch_nlp.errors import printable

# The log has the whole reason
_REASON_CHARS = 500


@dataclass(frozen=True)
class Notification:
    """An event that someone is notified of."""

    event: Event
    dataset: str
    run: str | None = None
    # Name of the batch
    batch: str | None = None
    # ``ok``, ``drift``, ``insufficient`` or ``skipped``
    verdict: str | None = None
    # Reason of the verdict, or what failed
    reason: str | None = None
    # What followed the verdict
    action: str | None = None
    # Reason of the action
    action_reason: str | None = None
    # Version of the champion now
    champion: str | None = None
    # Exit code of a failed run
    exit_code: int | None = None
    # ISO time, UTC
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    host: str = field(default_factory=socket.gethostname)

    @property
    def text(self) -> str:
        """The event in a few sentences."""
        of_batch = f" in batch {self.batch}" if self.batch else ""
        head = {
            Event.drift: f"drift{of_batch}",
            Event.held_back: f"drift{of_batch}, and no retraining",
            Event.promotion: f"new champion {self.champion}",
            Event.rejection: "a candidate failed its gate",
            Event.failure: f"the job failed with exit code {self.exit_code}",
        }[self.event]
        sentences = [f"{head}: {_short(self.reason)}" if self.reason else head]
        if self.action:
            reason = f" ({_short(self.action_reason).rstrip('.')})" if self.action_reason else ""
            sentences.append(f"Action: {self.action}{reason}")
        elif self.action_reason:
            sentences.append(_short(self.action_reason))
        if self.champion and self.event is not Event.promotion:
            sentences.append(f"Champion: {self.champion}")
        where = f"batch-nlp, dataset {self.dataset}, {self.host}"
        return f"{where}: " + ". ".join(sentence.rstrip(".") for sentence in sentences) + "."

    def to_dict(self) -> dict[str, Any]:
        """Return the generic document: always all keys, with null for unknown values."""
        values = {**asdict(self), "event": self.event.value}
        for name in ("reason", "action_reason"):
            values[name] = None if values[name] is None else _short(values[name])
        return {**values, "text": self.text}

    def body(self, form: NotifyFormat) -> bytes:
        """Return the JSON to send.

        Parameters
        ----------
        form : NotifyFormat
            ``slack`` gives ``{"text": ...}`` with ``&``, ``<`` and ``>`` escaped, the three characters that Slack
            reads as control characters; anything else the generic document.
        """
        if form is NotifyFormat.slack:
            escaped = self.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            return json.dumps({"text": escaped}).encode()
        return json.dumps(self.to_dict()).encode()


def _short(text: str) -> str:
    """Return text on one line, cut to a readable length."""
    return printable(" ".join(text.split()), _REASON_CHARS)
