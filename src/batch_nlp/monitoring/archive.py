"""Which decisions nobody works by any more, and the totals that stand for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from batch_nlp.monitoring.verdict import Status

OUTCOMES = ("predicted", "duplicates", "quarantined")
# The decision that stands for those in the archive
ARCHIVED = "archived"
# Newest verdicts of a dataset that stay in the log, which every run reads; the index of batches shows half as many
_NEWEST = 200


def totals(decisions: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Count decisions on batches of one dataset, those in the archive too.

    Returns
    -------
    Counter
        ``batches``, ``alarms``, ``held back``, and messages by `OUTCOMES`.
    """
    found, seen = Counter[str](), set[str]()
    for decision in decisions:
        kind, batch = decision.get("decision"), decision.get("batch")
        if kind == ARCHIVED:
            found.update(decision["totals"])
        # a run that was killed between its decision and its record enters the decision a second time
        elif kind == "batch" and batch is not None and batch not in seen:
            seen.add(batch)
            found.update(batches=1, alarms=int(decision["verdict"]["status"] == Status.DRIFT.value))
            accounts = decision.get("accounts") or {}
            found.update({outcome: accounts.get(outcome, 0) for outcome in OUTCOMES})
        found["held back"] += kind == "held back"
    return found


def places_of_old(decisions: Sequence[Mapping[str, Any]], dataset: str, removed: str) -> set[int]:
    """Return the places of a dataset's decisions that can go to the archive.

    These are the verdicts on batches up to `removed` or before the newest 200, runs that found nothing new but for the
    last, and, of alarms that were held back for one change after the other, those on such batches between the first and
    the last.
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
