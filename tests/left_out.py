"""Why a run left rows out."""

from __future__ import annotations

from collections import Counter

from batch_nlp.storage.ledger import Ledger


def reasons(ledger: Ledger) -> Counter[tuple[str, str]]:
    """Return the quarantined messages by step and reason."""
    found: Counter[tuple[str, str]] = Counter()
    for cause, number in ledger._quarantine.causes.items():
        found[cause.step, cause.reason] += number
    return found
