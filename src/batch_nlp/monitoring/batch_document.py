"""The document of a batch: everything that its page and its metrics show, as JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from batch_nlp.config import DriftConfig
from batch_nlp.monitoring.band import why_impossible, with_abstained
from batch_nlp.monitoring.findings import Analysis, Answer
from batch_nlp.reports.documents import json_value


def batch_document(
    batch: Mapping[str, Any],
    analysis: Analysis,
    answer: Answer | None,
    drift: DriftConfig,
    card: str | None = None,
    places: Sequence[str] = (),
) -> dict[str, Any]:
    """Return everything that the report of a batch shows, as JSON values.

    `batch` is ``Batch.facts()``; `answer` is None until the response to the verdict has ended; `card` is the link from
    the page to the card of the model that scored the batch; `places` are settings that commands on this data need.
    """
    drift = with_abstained(drift, analysis.abstained)
    judged = [share.name for share in analysis.verdict.parents or analysis.verdict.shares]
    possible = not judged or why_impossible(drift, judged) is None
    low, high, bands = (drift.low, drift.high, drift.bands) if possible else (None, None, {})
    document: dict[str, Any] = json_value(
        {
            **batch,
            "band": {"low": low, "high": high, "of": bands, "confidence": drift.confidence},
            "verdict": asdict(analysis.deciding),
            "answer": asdict(answer) if answer else None,
            "analysis": asdict(analysis),
            "card": card,
            "places": list(places),
        }
    )
    return document
