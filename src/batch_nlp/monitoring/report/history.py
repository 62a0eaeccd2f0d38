"""Which models were champion, since when, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def champion_history(decisions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the publications and rollbacks of a decision log.

    Parameters
    ----------
    decisions : iterable of mappings
        Of the decision log, oldest first.

    Returns
    -------
    list of dict
        Oldest first, the last one is the champion: ``version``, ``at`` (ISO time), ``reason``, and ``metrics`` on its
        hold-out. A version that was gone back to has its metrics again.
    """
    metrics: dict[str, Any] = {}
    history = []
    for decision in decisions:
        kind, version = decision.get("decision"), decision.get("champion")
        if kind not in ("gate", "rollback") or version is None or version == decision.get("champion_before"):
            continue
        if kind == "gate":
            metrics[version] = dict(decision.get("metrics") or {})
        history.append(
            {
                "version": version,
                "at": decision.get("at"),
                "reason": "rollback" if kind == "rollback" else str(decision.get("reason") or ""),
                "metrics": metrics.get(version, {}),
            }
        )
    return history
