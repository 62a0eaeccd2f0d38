"""Chooses the decisions that no run needs any more, and computes their totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from batch_nlp.monitoring.findings import Status

OUTCOMES = ("predicted", "duplicates", "quarantined")
# The decision with the totals of those in the archive
ARCHIVED = "archived"
# Newest verdicts per dataset that stay in the log, which every run reads; the index of batches shows half as many
_NEWEST = 200


def totals(decisions: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Count ``batches``, ``alarms``, ``held back`` and messages by `OUTCOMES` of one dataset, also archived ones."""
    found, seen = Counter[str](), set[str]()
    for decision in decisions:
        kind, batch = decision.get("decision"), decision.get("batch")
        if kind == ARCHIVED:
            found.update(decision["totals"])
        # after a kill between decision and record, the decision is entered a second time
        elif kind == "batch" and batch is not None and batch not in seen:
            seen.add(batch)
            found.update(batches=1, alarms=int(decision["verdict"]["status"] == Status.DRIFT.value))
            accounts = decision.get("accounts") or {}
            found.update({outcome: accounts.get(outcome, 0) for outcome in OUTCOMES})
        found["held back"] += kind == "held back"
    return found


def places_of_old(decisions: Sequence[Mapping[str, Any]], dataset: str, removed: str) -> set[int]:
    """Return the places of a dataset's decisions that can move to the archive.

    These are verdicts on batches up to `removed` or before the newest 200; runs that found nothing new, except the
    last; and, of consecutive alarms that were held back for the same change, those on such batches between the first
    and the last.
    """
    own = [place for place, decision in enumerate(decisions) if decision.get("dataset") == dataset]
    verdicts = [place for place in own if decisions[place]["decision"] == "batch"]
    idle = [place for place in verdicts if decisions[place]["batch"] is None]
    judged = [place for place in verdicts if decisions[place]["batch"] is not None]
    until = max([removed, *(decisions[place]["batch"] for place in judged[:-_NEWEST])])
    held = [place for place in own if decisions[place]["decision"] in ("held back", "retraining")]
    between = {
        place
        for before, place, after in zip(held, held[1:], held[2:], strict=False)
        if {decisions[one]["decision"] for one in (before, place, after)} == {"held back"}
        and len({decisions[one]["change"] for one in (before, place, after)}) == 1
        and decisions[place]["batch"] <= until
    }
    return between | set(idle[:-1]) | {place for place in judged if decisions[place]["batch"] <= until}
