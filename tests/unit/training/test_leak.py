from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from tests.naming import assert_names
from tests.unit.training.runs import measured

from batch_nlp.fields import Field, FieldRole, Fields
from batch_nlp.training.card.statements import leak_in_words
from batch_nlp.training.leak import suspected_leak
from batch_nlp.training.tuned_classifier import TunedClassifier

COLUMNS = ["votes", "people", "length"]
FIELDS = Fields(Field(name, FieldRole.NUMBER) for name in [*COLUMNS, "word_count"])


class OfMost(LogisticRegression):
    """Believes two of three columns, so that none alone is missed."""

    def fit(self, X: pd.DataFrame, y: Any, sample_weight: Any = None) -> Any:
        return super().fit(X[COLUMNS].median(axis=1).to_frame(), y, sample_weight)

    def predict_proba(self, X: pd.DataFrame) -> Any:
        return super().predict_proba(X[COLUMNS].median(axis=1).to_frame())


def suspected(estimator: Any, **columns: Any) -> dict[str, Any] | None:
    """Return what is suspected of a classifier that gets some columns of 400 messages of two classes."""
    random = np.random.default_rng(5)
    truth = np.repeat([0, 1], 200)
    made = {name: make(truth, random) for name, make in columns.items()}
    rows = pd.DataFrame(dict.fromkeys(["length", "word_count"], random.normal(size=400)) | made)
    classifier = TunedClassifier(estimator).fit(rows, truth)
    candidate = measured(truth, classifier.predict(rows), FIELDS, classifier=classifier, encoded=rows)
    return suspected_leak(candidate, COLUMNS, seed=1)


def test_columns_that_give_the_answer_are_named_by_themselves_or_together() -> None:
    alone = suspected(LogisticRegression(), votes=lambda truth, _: truth * 4.0)
    assert alone == {"columns": ["votes"], "drop": pytest.approx(0.5, abs=0.07)}
    same = suspected(OfMost(), **dict.fromkeys(COLUMNS, lambda truth, _: truth * 4.0))
    assert same == {"columns": COLUMNS, "drop": pytest.approx(0.5, abs=0.07)}


def test_where_the_text_tells_no_column_is_named_and_a_model_that_errs_is_not_suspected() -> None:
    told = suspected(LogisticRegression(), ngram_score_0=lambda truth, _: truth * 4.0)
    assert told == {"columns": [], "drop": pytest.approx(0, abs=0.01)}
    assert suspected(LogisticRegression(), votes=lambda truth, random: truth + random.normal(size=400)) is None
    few = np.arange(199) % 2
    assert suspected_leak(measured(few, few), COLUMNS, seed=1) is None


@pytest.mark.parametrize(
    ("columns", "said"),
    [(["votes"], ["votes", "0.410"]), (["votes", "people"], ["votes", "people", "0.410"]), ([], [])],
)  # fmt: skip
def test_a_leak_is_told(columns: list[str], said: list[str]) -> None:
    facts: dict[str, Any] = {"quality": {"f1_macro": {"value": 0.9981}}, "data": {"holdout": {"rows": 1234}}}
    told = leak_in_words({**facts, "leak": {"columns": columns, "drop": 0.41}})
    assert_names(told, "0.998", 1234, *said)
    assert ("dataset.forbidden" in told) == bool(columns)
    assert leak_in_words({**facts, "leak": None}) == ""
