"""The content of a model card, as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax

from batch_nlp.hierarchy import roll_up
from batch_nlp.metrics.bootstrap import CONFIDENCE, with_intervals
from batch_nlp.training.calibration import reliability
from batch_nlp.training.candidate import Candidate
from batch_nlp.training.card.statements import decision_in_words, statements
from batch_nlp.training.class_words import ClassWords, ngram_scores
from batch_nlp.training.errors_report import ErrorAnalysis
from batch_nlp.training.importance import permutation_importance
from batch_nlp.training.leak import suspected_leak
from batch_nlp.training.slices import SMALL, slice_metrics
from batch_nlp.training.validation import Validation

_WORDS = 20
# Most classes in a table and in a matrix. With more, a table shows this many of the largest and of the worst
_CLASSES, _MATRIX, _ENDS = 25, 12, 10
# Held-out messages on which the effects of words are measured
_MESSAGES_OF_WORDS = 2000


def card_facts(
    candidate: Candidate,
    manifest: dict[str, Any],
    analysis: ErrorAnalysis,
    champion: str | None,
    columns: Sequence[str],
) -> dict[str, Any]:
    """Return the content of the card, without texts of messages.

    The gate compared the candidate with the version `champion`; `columns` are the `fields_of_source`.
    """
    seed = int(manifest["settings"]["seed"])
    k = len(candidate.outcomes)
    quality = with_intervals(candidate.validation.confusion, seed)
    facts = {
        "model": manifest["settings"]["model"],
        "model_choice": manifest["model_choice"],
        "inputs": manifest["inputs"],
        "classes": candidate.outcomes,
        "shown": _shown(candidate.validation.confusion.sum(axis=1), quality["f1"]),
        "matrix": k <= _MATRIX,
        "confusions": _confusions(candidate.validation) if k > _MATRIX else [],
        "parents": _parents(candidate.validation, seed),
        "created_at": manifest["created_at"],
        "seed": seed,
        "training": manifest["settings"]["training"],
        "data": _data(candidate, manifest),
        "split": manifest["split"],
        "label_sources": manifest["label_sources"],
        "refit": {"done": manifest["refit"], "rows": manifest["model_rows"]},
        "arrays_on_disk": manifest["arrays_on_disk"],
        "confidence": CONFIDENCE,
        "quality": quality,
        "confusion": candidate.validation.confusion.tolist(),
        "ordinal": candidate.validation.ordinal,
        "calibration": {
            "log_loss": manifest["metrics"]["log_loss"],
            "ece_before": manifest["metrics"]["ece_uncalibrated"],
            "ece_after": manifest["metrics"]["ece"],
            "before": reliability(softmax(candidate.scores, axis=1), candidate.truth),
            "after": reliability(candidate.probabilities, candidate.truth),
        },
        "abstained": candidate.abstained,
        "abstention": candidate.abstention,
        "decision_weights": [float(weight) for weight in candidate.classifier.decision_weights_],
        "few": SMALL,
        "slices": slice_metrics(candidate, seed),
        "importance": permutation_importance(candidate, seed),
        "leak": suspected_leak(candidate, columns, seed),
        "words": _words(candidate, seed),
        "errors": analysis.facts(),
        "gate": {"checks": manifest["gate"], "champion": champion, "not_compared": manifest["not_compared"]},
    }
    return {**facts, "decision": decision_in_words(facts), "statements": statements(facts)}


def _shown(support: NDArray[np.int64], f1: list[dict[str, float | None]]) -> list[int]:
    """Return the indices of the classes in tables: all, or of many the largest and those with the lowest F1."""
    if len(support) <= _CLASSES:
        return list(range(len(support)))
    worst = sorted(range(len(f1)), key=lambda index: f1[index]["value"] or 0.0)[:_ENDS]
    return sorted({*np.argsort(-support, kind="stable")[:_ENDS].tolist(), *worst})


def _confusions(validation: Validation) -> list[dict[str, Any]]:
    """Return the most frequent confusions of two classes, most messages first."""
    counts = validation.confusion.copy()
    totals = counts.sum(axis=1)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[: 2 * _ENDS]
    pairs = (np.unravel_index(cell, counts.shape) for cell in order)
    return [
        {
            "true": validation.classes[true],
            "predicted": validation.classes[predicted],
            "messages": int(counts[true, predicted]),
            "share": float(counts[true, predicted] / totals[true]),
        }
        for true, predicted in pairs
        if counts[true, predicted]
    ]


def _parents(validation: Validation, seed: int) -> dict[str, Any] | None:
    """Return the quality of the parent classes of a hierarchy; None without a hierarchy."""
    parents = roll_up(validation.classes)
    if not 1 < len(parents) < len(validation.classes):
        return None
    of_parent = np.zeros((len(validation.classes), len(parents)), dtype=np.int64)
    for parent, (_, indices) in enumerate(parents):
        of_parent[indices, parent] = 1
    confusion = of_parent.T @ validation.confusion @ of_parent
    quality = with_intervals(confusion, seed)
    shown = _shown(confusion.sum(axis=1), quality["f1"])
    rows = [
        {"name": parents[index][0], "messages": int(confusion[index].sum())}
        | {metric: quality[metric][index] for metric in ("recall", "precision", "f1")}
        for index in shown
    ]
    return {"f1_macro": quality["f1_macro"], "number": len(parents), "rows": rows}


def _data(candidate: Candidate, manifest: dict[str, Any]) -> dict[str, Any]:
    k = len(candidate.outcomes)
    parts = {}
    for name, index in (("train", candidate.train), ("holdout", candidate.hold_out)):
        written: pd.Series[pd.Timestamp] = candidate.messages.loc[index, "written_at"].dropna()
        counts = np.bincount(candidate.labels[index].to_numpy(), minlength=k)
        parts[name] = {
            "rows": len(index),
            "from": written.min().date().isoformat() if len(written) else None,
            "to": written.max().date().isoformat() if len(written) else None,
            "shares": (counts / counts.sum()).tolist(),
        }
    return {
        "dataset": manifest["dataset"],
        "generated": manifest["generated_data"],
        "feature_version": manifest["data_version"]["feature_version"],
        **parts,
        "predicted_shares": candidate.validation.predicted_shares.tolist(),
    }


def _words(candidate: Candidate, seed: int) -> list[list[dict[str, Any]]] | None:
    scores = ngram_scores(candidate.pipeline)
    if scores is None:
        return None
    texts = candidate.rows["text"]
    chosen = np.sort(np.random.default_rng(seed).permutation(len(texts))[:_MESSAGES_OF_WORDS])
    found = ClassWords(scores).of_classes(texts.iloc[chosen].to_list(), _WORDS)
    return found + [[]] * (len(candidate.outcomes) - len(found))
