"""What is told, as JSON values: of a batch, which its page is drawn from, of its classes, and of the champions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from batch_nlp.config import DriftConfig
from batch_nlp.hierarchy import Leaves, roll_up
from batch_nlp.monitoring.analysis import Analysis
from batch_nlp.monitoring.answer import Answer
from batch_nlp.monitoring.band import why_impossible

# Rows of a table of classes
MOST_ROWS = 20


def batch_document(
    batch: Mapping[str, Any],
    analysis: Analysis,
    answer: Answer | None,
    drift: DriftConfig,
    card: str | None = None,
    places: Sequence[str] = (),
) -> dict[str, Any]:
    """Return everything that is told of a batch, as JSON values.

    Parameters
    ----------
    batch : mapping
        ``Batch.facts()``: name, dataset, predicted_at, files, accounts, counts, model_version.
    analysis : Analysis
    answer : Answer or None
        None as long as the response to the verdict is not over.
    drift : DriftConfig
        The settings that the batch was judged by.
    card : str, optional
        Link from the page to the card of the model that scored the batch.
    places : sequence of str
        Settings that commands on this data need.

    Returns
    -------
    dict
        The batch's facts, ``band`` (``low`` and ``high``, None where no batch can satisfy it, and those of single
        classes), ``verdict`` (the one that is acted on), ``answer``, ``analysis``, ``card`` and
        ``places``.
    """
    document: dict[str, Any] = json_value(
        {
            **batch,
            "band": _band(drift, [share.name for share in analysis.verdict.parents or analysis.verdict.shares]),
            "verdict": analysis.deciding.to_dict(),
            "answer": answer.to_dict() if answer else None,
            "analysis": analysis.to_dict(),
            "card": card,
            "places": list(places),
        }
    )
    return document


def _band(drift: DriftConfig, classes: Sequence[str]) -> dict[str, Any]:
    there = not classes or why_impossible(drift, classes) is None
    return {
        "low": drift.low if there else None,
        "high": drift.high if there else None,
        "of": drift.bands if there else {},
        "confidence": drift.confidence,
    }


def json_value(value: Any) -> Any:
    r"""Return a value that JSON can say: no infinite or undefined number, no half of a surrogate pair.

    A figure that could not be worked out, or a file name that is not UTF-8, must not cost the night's report.

    Examples
    --------
    >>> json_value({"auc": float("nan"), "file": "a\udce4.json"})
    {'auc': None, 'file': 'a\\udce4.json'}
    """
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, float):
        return float(value) if isfinite(value) else None
    if isinstance(value, Mapping):
        return {json_value(str(key)): json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    return value


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


def most_telling(shares: Sequence[Mapping[str, Any]], most: int = MOST_ROWS) -> list[Mapping[str, Any]]:
    """Return the classes to show: all, or of more than `most` those that are out first, and then the largest.

    Parameters
    ----------
    shares : sequence of mappings
        ``ClassShare`` as dicts.
    most : int
    """
    if len(shares) <= most:
        return list(shares)
    return sorted(shares, key=lambda share: (not share["out"], -share["share"]))[:most]


def with_parents(values: Mapping[str, float], parents: Iterable[str]) -> dict[str, float]:
    """Return shares by class, with the sums of the parents of a hierarchy before them."""
    leaves = dict(roll_up(Leaves(values)))
    shares = list(values.values())
    return {**{parent: sum(shares[index] for index in leaves[parent]) for parent in parents if values}, **values}
