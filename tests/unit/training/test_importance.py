from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from tests.unit.training.runs import measured

from batch_nlp.training.importance import permutation_importance
from batch_nlp.training.tuned_classifier import TunedClassifier


class FirstAndCategory(LogisticRegression):
    """Reads two of its columns and no other."""

    def fit(self, X: pd.DataFrame, y: Any, sample_weight: Any = None) -> Any:
        return super().fit(X[["word_count", "ngram_score_0"]], y, sample_weight)

    def predict_proba(self, X: pd.DataFrame) -> Any:
        return super().predict_proba(X[["word_count", "ngram_score_0"]])


def test_a_column_matters_if_and_only_if_the_classifier_reads_it() -> None:
    random = np.random.default_rng(5)
    truth = np.repeat([0, 1], 400)
    rows = pd.DataFrame(
        {
            "ngram_score_0": truth + random.normal(0, 0.1, 800),
            "word_count": random.normal(0, 1, 800),
            "hour": truth + random.normal(0, 0.1, 800),  # it could tell the classes apart, and is not read
        }
    )
    classifier = TunedClassifier(FirstAndCategory()).fit(rows, truth)
    candidate = measured(truth, truth, classifier=classifier, encoded=rows)
    found = permutation_importance(candidate, seed=1)
    drops = {group["name"]: group for group in found["groups"]}
    assert found["baseline"] == pytest.approx(1, abs=0.01)
    # with the only reading column shuffled, half of the messages of two equal classes are right by chance
    assert drops["ngrams"]["drop"] == pytest.approx(0.5, abs=0.06)
    assert drops["hour"] == {"name": "hour", "columns": 1, "drop": 0.0, "least": 0.0, "greatest": 0.0}
    assert abs(drops["word_count"]["drop"]) < 0.02
    assert found["groups"][0]["name"] == "ngrams"
    assert found == permutation_importance(candidate, seed=1)
