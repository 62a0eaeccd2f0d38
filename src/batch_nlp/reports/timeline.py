"""What the index says over time: one point a batch, and what happened when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

# Rows of the figure that shows what happened, in this order
EVENTS = ("alarm", "promoted", "rejected", "held back", "reweighted", "failed", "rollback")


@dataclass(frozen=True)
class Moment:
    """A batch on the time line."""

    document: Mapping[str, Any]
    # Macro F1, where labels have come
    realised: float | None
    # Of `EVENTS`
    events: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """Name of the batch."""
        return str(self.document["name"])

    @property
    def link(self) -> str:
        """Address of its page beside the index."""
        return quote(f"{self.name}.html")

    @property
    def at(self) -> str:
        """ISO time of its predictions."""
        return str(self.document.get("predicted_at") or "")

    @property
    def at_second(self) -> str:
        """Its time for a tooltip, which may be one of several in a minute."""
        return self.at[:19].replace("T", " ")

    @property
    def happened(self) -> list[str]:
        """Its events, in their order."""
        return [event for event in EVENTS if event in self.events]

    @property
    def analysis(self) -> Mapping[str, Any]:
        """Its analysis; empty in a document that an earlier version wrote."""
        return self.document.get("analysis") or {}

    @property
    def shares(self) -> dict[str, Mapping[str, Any]]:
        """The batch's own shares by class, or by parent in a hierarchy, whichever verdict was acted on."""
        verdict = self.analysis.get("verdict") or self.document["verdict"]
        return {share["name"]: share for share in verdict.get("parents") or verdict["shares"]}

    @property
    def estimated_f1(self) -> float | None:
        """Estimated macro F1."""
        return (self.analysis.get("estimated") or {}).get("f1_macro")

    @property
    def answer(self) -> Mapping[str, Any]:
        """What followed; empty as long as that is not known."""
        return self.document.get("answer") or {}

    def compared(self, name: str) -> tuple[float | None, float | None]:
        """Return a figure of the batch and of the hold-out."""
        found = self.analysis.get(name) or {}
        return found.get("batch"), found.get("reference")


def main_classes(line: Sequence[Moment], most: int = 12) -> list[str]:
    """Return the classes to show: all, or of more than `most` those that were out most often, and then the largest."""
    shares = [moment.shares for moment in line]
    classes = list(dict.fromkeys(name for found in shares for name in found))
    if len(classes) <= most:
        return classes
    outs = Counter(name for found in shares for name, share in found.items() if share["out"])
    latest: dict[str, Mapping[str, Any]] = next((found for found in reversed(shares) if found), {})
    size = {name: share["share"] for name, share in latest.items()}
    return sorted(classes, key=lambda name: (-outs[name], -size.get(name, 0.0)))[:most]


def moments(
    reports: Iterable[Mapping[str, Any]], realised: Mapping[str, float], decisions: Sequence[Mapping[str, Any]]
) -> list[Moment]:
    """Return the time line of one dataset's batches.

    Parameters
    ----------
    reports : iterable of mappings
        Documents of the batches, oldest first.
    realised : mapping of str to Performance
        By the name of the batch.
    decisions : sequence of mappings
        The decision log. What no batch led to, such as a training by hand, is shown at the last batch before it.
    """
    line = [Moment(report, realised.get(str(report["name"]))) for report in reports]
    for moment in line:
        if moment.document["verdict"]["status"] == "drift":
            moment.events.add("alarm")
        # `none` and `alert` are no events of their own
        moment.events.update({str(moment.answer.get("action"))}.intersection(EVENTS[1:]))
    _add_decisions(line, decisions)
    return line


def _add_decisions(line: Sequence[Moment], decisions: Iterable[Mapping[str, Any]]) -> None:
    place = 0
    for decision in sorted(decisions, key=lambda found: str(found.get("at"))):
        event = _event(decision)
        if event is None or not line:
            continue
        while place + 1 < len(line) and line[place + 1].at <= str(decision.get("at")):
            place += 1
        line[place].events.add(event)


def _event(decision: Mapping[str, Any]) -> str | None:
    """Return what a decision shows as; the gate of a retraining says the same as the answer of its batch."""
    if decision.get("decision") == "rollback":
        return "rollback"
    if decision.get("decision") != "gate":
        return None
    return "promoted" if decision.get("passed") else "rejected"
