"""The task is as hard as the real one: learnable, and far from solved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score


@pytest.mark.long
def test_a_linear_model_learns_the_task_and_its_shares_stay_in_the_band(history: Path, read):
    rows = sorted(read(history / "yelp_academic_dataset_review.json")[0], key=lambda row: row["date"])
    texts = [row["text"] for row in rows]
    classes = np.digitize([row["stars"] for row in rows], [2.5, 3.5])
    border = int(0.8 * len(rows))
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True, token_pattern=r"[\w']+|[!?$]")
    model = LogisticRegression(C=4.0, class_weight="balanced", max_iter=300)
    model.fit(vectorizer.fit_transform(texts[:border]), classes[:border])
    predicted = model.predict(vectorizer.transform(texts[border:]))
    assert 0.6 < f1_score(classes[border:], predicted, average="macro") < 0.88
    assert all(0.1 < share < 0.9 for share in np.bincount(predicted, minlength=3) / len(predicted))
