"""Batches, analyses and answers for the tests of the reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.settings import default

from batch_nlp.config import DriftConfig
from batch_nlp.monitoring.batch_document import batch_document
from batch_nlp.monitoring.findings import (
    Action,
    Analysis,
    Answer,
    ChangedWord,
    Compared,
    Example,
    Performance,
    TestResult,
)
from batch_nlp.monitoring.rules import judge

CLASSES = ["negative", "neutral", "positive"]
DRIFTED, STABLE = [20, 60, 320], [100, 60, 240]
START = datetime(2026, 1, 2, 2, tzinfo=UTC)
CHAMPIONS = [
    {"version": "v0001", "at": START.isoformat(), "reason": "pipeline=fti", "metrics": {"f1_macro": 0.75, "ece": 0.02}}
]


def batch(number: int = 0, counts: list[int] = DRIFTED, **facts: Any) -> dict[str, Any]:
    at = START + timedelta(days=number)
    return {
        "name": f"{at:%Y%m%dT%H%M%SZ}-{number:08x}",
        "dataset": "sample",
        "predicted_at": at.isoformat(),
        "files": {"reviews.jsonl": "0f" * 32},
        "accounts": {"in": sum(counts) + 5, "predicted": sum(counts), "duplicates": 3, "quarantined": 2},
        "counts": counts,
        "model_version": "v0001",
        **facts,
    }


def analysis(counts: list[int] = DRIFTED, classes: list[str] = CLASSES, **facts: Any) -> Analysis:
    whole: dict[str, Any] = {
        "batch": "b",
        "verdict": judge(counts, classes, default(DriftConfig)),
        "explanation": "The mix changed, the model is as sure as before.",
        "reference_shares": dict(zip(classes, [0.26, 0.12, 0.62], strict=True)),
        "tests": [
            TestResult("psi of the predicted classes", "mix", 0.31, 0.001, 0.006, True),
            TestResult("ks of word_count", "mix", 0.02, 0.61, 0.61, False),
        ],
        "confidence": Compared(0.812, 0.879),
        "entropy": Compared(0.41, 0.33),
        "unknown_words": Compared(0.052, 0.021),
        "languages": {"en": Compared(0.94, 0.99)},
        "changed_words": [ChangedWord("refund", 0.18, 0.02, 1e-9)],
        "estimated": Performance(sum(counts), 0.81, 0.68, 0.79),
        "prior_shares": dict(zip(classes, [0.04, 0.14, 0.82], strict=True)),
        "examples": [Example("id-7", classes[0], 0.34, "least sure")],
    }
    return Analysis(**{**whole, **facts})


def documents(number: int) -> list[dict[str, Any]]:
    """Return the documents of a number of days, of which every fifth drifted and was held back."""
    drift = default(DriftConfig)
    return [
        batch_document(
            batch(day, counts := DRIFTED if day % 5 == 4 else STABLE),
            analysis(counts),
            Answer(Action.HELD_BACK if day % 5 == 4 else Action.NONE, "no new labels", None, "v0001", "v0001"),
            drift,
        )
        for day in range(number)
    ]
