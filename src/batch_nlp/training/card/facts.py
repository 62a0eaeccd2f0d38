"""Everything that a model card says, as one document of plain values, worked out once and rendered twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import softmax

from batch_nlp.training.calibration import reliability
from batch_nlp.training.candidate import Candidate
from batch_nlp.training.card.statements import decision_in_words, statements
from batch_nlp.training.errors_report import ErrorAnalysis
from batch_nlp.training.importance import permutation_importance
from batch_nlp.training.intervals import CONFIDENCE, with_intervals
from batch_nlp.training.slices import SMALL, slice_metrics
from batch_nlp.training.words import ClassWords, ngram_scores

_WORDS = 20
# Held-out messages that the words' effects are measured on
_MESSAGES_OF_WORDS = 2000


def card_facts(
    candidate: Candidate, manifest: dict[str, Any], analysis: ErrorAnalysis, champion: str | None
) -> dict[str, Any]:
    """Return what the card says.

    No text of a message is in it: the card goes where the model goes.

    Parameters
    ----------
    candidate : Candidate
    manifest : dict
        What the model's manifest will say.
    analysis : ErrorAnalysis
        Of the same candidate.
    champion : str or None
        Version that the gate compared it with.

    Returns
    -------
    dict
        JSON values.
    """
    seed = int(manifest["settings"]["seed"])
    k = len(candidate.classes)
    facts = {
        "model": manifest["settings"]["model"],
        "classes": candidate.classes,
        "created_at": manifest["created_at"],
        "seed": seed,
        "training": manifest["settings"]["training"],
        "data": _data(candidate, manifest),
        "arrays_on_disk": manifest["arrays_on_disk"],
        "confidence": CONFIDENCE,
        "quality": with_intervals(candidate.validation.confusion, seed),
        "confusion": candidate.validation.confusion.tolist(),
        "calibration": {
            "ece_before": manifest["metrics"]["ece_uncalibrated"],
            "ece_after": manifest["metrics"]["ece"],
            "before": reliability(softmax(candidate.scores, axis=1), candidate.truth),
            "after": reliability(candidate.probabilities, candidate.truth),
        },
        "decision_weights": [float(weight) for weight in candidate.classifier.decision_weights_],
        "few": SMALL,
        "slices": slice_metrics(candidate.rows, candidate.fields, candidate.truth, candidate.predicted, k, seed),
        "importance": permutation_importance(
            candidate.classifier, candidate.encoded, candidate.truth, candidate.fields, seed
        ),
        "words": _words(candidate, seed),
        "errors": analysis.facts(),
        "gate": {"checks": manifest["gate"], "champion": champion},
    }
    return {**facts, "decision": decision_in_words(facts), "statements": statements(facts)}


def _data(candidate: Candidate, manifest: dict[str, Any]) -> dict[str, Any]:
    k = len(candidate.classes)
    parts = {}
    for name, index in (("train", candidate.train), ("holdout", candidate.held_out)):
        written: pd.Series[pd.Timestamp] = candidate.messages.loc[index, "written_at"]
        counts = np.bincount(candidate.labels[index].to_numpy(), minlength=k)
        parts[name] = {
            "rows": len(index),
            "from": written.min().date().isoformat(),
            "to": written.max().date().isoformat(),
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
    return ClassWords(scores).of_classes(texts.iloc[chosen].to_list(), _WORDS)
