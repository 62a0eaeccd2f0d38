"""The facts of a batch as one JSON document: what its page is drawn from, and what the index is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from batch_nlp.config import DriftConfig
from batch_nlp.monitoring.analysis import Analysis
from batch_nlp.monitoring.answer import Answer
from batch_nlp.monitoring.band import why_impossible


def batch_document(
    batch: Mapping[str, Any], analysis: Analysis, answer: Answer | None, drift: DriftConfig
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

    Returns
    -------
    dict
        The batch's facts, ``band`` (``low`` and ``high``, None where no batch can satisfy it, and those of single
        classes), ``verdict`` (the one that is acted on), ``answer`` and ``analysis``.
    """
    document: dict[str, Any] = json_value(
        {
            **batch,
            "band": _band(drift, [share.name for share in analysis.verdict.shares]),
            "verdict": analysis.deciding.to_dict(),
            "answer": answer.to_dict() if answer else None,
            "analysis": analysis.to_dict(),
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
