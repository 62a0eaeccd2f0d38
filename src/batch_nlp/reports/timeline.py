"""Batches in chronological order, with their figures and events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

# Events of a batch, in the order of the rows of their chart
EVENTS = ("alarm", "promoted", "rejected", "held back", "reweighted", "failed", "rollback")


@dataclass(frozen=True)
class TimelineEntry:
    """A batch in a timeline."""

    document: Mapping[str, Any]
    # Macro F1, if labels have arrived
    realised: float | None
    # Of `EVENTS`
    events: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """Name of the batch."""
        return str(self.document["name"])

    @property
    def link(self) -> str:
        """Link to its page from the index."""
        return quote(f"{self.name}.html")

    @property
    def at(self) -> str:
        """Time of its predictions, in ISO format."""
        return str(self.document.get("predicted_at") or "")

    @property
    def at_second(self) -> str:
        """Time for a tooltip, to the second: several batches may fall into a minute."""
        return self.at[:19].replace("T", " ")

    @property
    def happened(self) -> list[str]:
        """Its events in the order of `EVENTS`."""
        return [event for event in EVENTS if event in self.events]

    @property
    def analysis(self) -> Mapping[str, Any]:
        """Its analysis; empty in a document of an earlier release."""
        return self.document.get("analysis") or {}

    @property
    def shares(self) -> dict[str, Mapping[str, Any]]:
        """Shares of the batch alone, by class, or by parent in a hierarchy."""
        verdict = self.analysis.get("verdict") or self.document["verdict"]
        return {share["name"]: share for share in verdict.get("parents") or verdict["shares"]}

    @property
    def estimated_f1(self) -> float | None:
        """Estimated macro F1."""
        return (self.analysis.get("estimated") or {}).get("f1_macro")

    @property
    def answer(self) -> Mapping[str, Any]:
        """The response to the verdict; empty until it has ended."""
        return self.document.get("answer") or {}

    def compared(self, name: str) -> tuple[float | None, float | None]:
        """Return a figure of the batch and the same figure of the hold-out."""
        found = self.analysis.get(name) or {}
        return found.get("batch"), found.get("reference")


def main_classes(line: Sequence[TimelineEntry], most: int = 12) -> list[str]:
    """Return at most `most` classes to show: those most often out of the band come first, then the largest."""
    shares = [entry.shares for entry in line]
    classes = list(dict.fromkeys(name for found in shares for name in found))
    if len(classes) <= most:
        return classes
    outs = Counter(name for found in shares for name, share in found.items() if share["out"])
    latest: dict[str, Mapping[str, Any]] = next((found for found in reversed(shares) if found), {})
    size = {name: share["share"] for name, share in latest.items()}
    return sorted(classes, key=lambda name: (-outs[name], -size.get(name, 0.0)))[:most]


def timeline(
    reports: Iterable[Mapping[str, Any]], realised: Mapping[str, float], decisions: Sequence[Mapping[str, Any]]
) -> list[TimelineEntry]:
    """Return the batches of a dataset with their events, from the arguments of `write_index`.

    An event without a batch, such as a training by hand, is shown at the last batch before it.
    """
    line = [TimelineEntry(report, realised.get(str(report["name"]))) for report in reports]
    for entry in line:
        if entry.document["verdict"]["status"] == "drift":
            entry.events.add("alarm")
        # `none` and `alert` are not events
        entry.events.update({str(entry.answer.get("action"))}.intersection(EVENTS[1:]))
    for decision in decisions if line else ():
        if event := _event(decision):
            before = [entry for entry in line if entry.at <= str(decision.get("at"))]
            (before or line[:1])[-1].events.add(event)
    return line


def _event(decision: Mapping[str, Any]) -> str | None:
    """Return the event of a decision. The gate of a retraining gives the same event as the answer of its batch."""
    if decision.get("decision") == "rollback":
        return "rollback"
    if decision.get("decision") != "gate":
        return None
    return "promoted" if decision.get("passed") else "rejected"
