from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from batch_nlp.errors import DataError
from batch_nlp.training.ngram_scores import NgramScores


@pytest.fixture(scope="module")
def texts(messages: pd.DataFrame) -> pd.DataFrame:
    return messages[["text"]]


def test_the_scores_of_training_rows_come_from_models_that_have_not_seen_them(
    texts: pd.DataFrame, labels: pd.Series[int]
) -> None:
    y = labels.to_numpy()
    found = NgramScores(folds=3, random_state=4).fit_transform(texts, y)
    # the same, spelled out with scikit-learn
    token = r"(?u)\b\w+(?:'\w+)?\b|[!?$]"  # noqa: S105 a pattern
    weigh = TfidfVectorizer(ngram_range=(1, 2), token_pattern=token, sublinear_tf=True, min_df=3)
    weights = weigh.fit_transform(texts["text"])
    expected = np.full((len(y), 3), np.nan)
    for train, held_out in StratifiedKFold(3, shuffle=True, random_state=4).split(y, y):
        model = LogisticRegression(C=4.0, class_weight="balanced", max_iter=300, tol=1e-3)
        expected[held_out] = model.fit(weights[train], y[train]).decision_function(weights[held_out])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_labels_that_mean_nothing_are_not_found_again_in_the_scores_of_training_rows(texts: pd.DataFrame) -> None:
    y = np.random.default_rng(0).integers(0, 2, len(texts))
    step = NgramScores()
    out_of_fold = roc_auc_score(y, step.fit_transform(texts, y)[:, -1])
    seen = roc_auc_score(y, step.transform(texts)[:, -1])
    assert 0.4 < out_of_fold < 0.6
    assert seen > 0.95


def test_new_texts_get_the_same_scores_alone_in_any_company_and_from_a_copy(
    texts: pd.DataFrame, labels: pd.Series[int]
) -> None:
    step = NgramScores().fit(texts[:500], labels[:500])
    scores = step.transform(texts[500:])
    assert scores.shape == (len(texts) - 500, 3)
    np.testing.assert_array_equal(step.transform(texts[510:511])[0], scores[10])
    np.testing.assert_array_equal(step.transform(texts[500:][::-1])[::-1], scores)
    copy = pickle.loads(pickle.dumps(step))
    np.testing.assert_array_equal(copy.transform(texts[500:]), scores)


def test_words_with_apostrophes_and_marks_are_terms_and_case_is_none() -> None:
    frame = pd.DataFrame({"text": ["Don't GO!", "don't go?", "$5 naïve", "über"]})
    step = NgramScores(min_df=1, folds=2).fit(frame, np.array([0, 0, 1, 1]))
    assert step.terms_.split("\n") == [
        "!", "$", "$ 5", "5", "5 naïve", "?", "don't", "don't go", "go", "go !", "go ?", "naïve", "über",
    ]  # fmt: skip


def test_a_text_without_a_known_word_gets_the_intercept(texts: pd.DataFrame, labels: pd.Series[int]) -> None:
    step = NgramScores().fit(texts, labels)
    scores = step.transform(pd.DataFrame({"text": ["", "zzyzx", "😀"]}))
    np.testing.assert_allclose(scores, [step.intercept_] * 3, atol=1e-12)


@pytest.mark.parametrize(("classes", "names"), [(2, ["ngram_score_1"]), (3, [f"ngram_score_{i}" for i in range(3)])])
def test_two_classes_give_one_score_and_more_one_each(texts: pd.DataFrame, classes: int, names: list[str]) -> None:
    y = np.arange(len(texts)) % classes
    step = NgramScores(folds=2)
    assert step.fit_transform(texts, y).shape == (len(texts), len(names))
    assert step.transform(texts[:7]).shape == (7, len(names))
    assert step.get_feature_names_out().tolist() == names


def test_settings_limit_the_terms(texts: pd.DataFrame, labels: pd.Series[int]) -> None:
    assert len(NgramScores(max_features=50).fit(texts, labels).terms_.split("\n")) == 50
    words = NgramScores(max_n=1, min_df=20).fit(texts, labels).terms_.split("\n")
    assert words
    assert not any(" " in word for word in words)


def test_an_unfitted_step_says_so() -> None:
    for use in (lambda step: step.transform(pd.DataFrame({"text": ["a"]})), NgramScores.get_feature_names_out):
        with pytest.raises(NotFittedError):
            use(NgramScores())


def test_a_clone_has_the_settings_and_nothing_learned(texts: pd.DataFrame, labels: pd.Series[int]) -> None:
    step = NgramScores(max_n=1, min_df=2, max_features=99, c=0.5, folds=3, random_state=8).fit(texts, labels)
    copy = clone(step)
    assert copy.get_params() == step.get_params()
    assert not hasattr(copy, "terms_")


def test_texts_that_share_no_word_are_a_data_error() -> None:
    texts = pd.DataFrame({"text": [f"word{number}" for number in range(40)]})
    with pytest.raises(DataError, match=r"training\.ngrams\.min_df=3 of the 40 texts"):
        NgramScores().fit(texts, [number % 2 for number in range(40)])
