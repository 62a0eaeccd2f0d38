from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, LinearSVC
from sklearn.utils import Tags
from tests.fields import FIELDS
from tests.naming import assert_names, names
from xgboost import DMatrix, XGBClassifier

from batch_nlp.storage.registry import Model, Registry
from batch_nlp.training.class_words import ngram_scores
from batch_nlp.training.encoding import encoding, imputer
from batch_nlp.training.explanation import explain_message, explanation_name, explanation_page, show_explanation
from batch_nlp.training.explanation.contributions import OCCLUSION, contributions
from batch_nlp.training.explanation.word_effects import MOST_WORDS_LEFT_OUT, term_effects, word_effects
from batch_nlp.training.importance import column_groups
from batch_nlp.training.ngram_scores import NgramScores
from batch_nlp.training.tuned_classifier import TunedClassifier

CLASSES = ["negative", "neutral", "positive"]


class World(Protocol):
    config: Any
    registry: Registry


@pytest.fixture(scope="session")
def model(champion: Model) -> Pipeline:
    return champion.pipeline


@pytest.fixture(scope="session")
def encoded(model: Pipeline, messages: pd.DataFrame) -> pd.DataFrame:
    found: pd.DataFrame = model[:-1].transform(messages[FIELDS.names])
    return found


@pytest.fixture(scope="session")
def groups(encoded: pd.DataFrame) -> dict[str, list[str]]:
    return column_groups(encoded.columns, FIELDS)


def test_every_column_is_in_one_group_and_text_is_told_from_numbers(
    groups: dict[str, list[str]], encoded: pd.DataFrame
) -> None:
    assert sorted(name for names in groups.values() for name in names) == sorted(encoded.columns)
    assert {"ngrams", "sentences", "text_length", "tenure_days", "category_group"} <= set(groups)
    assert groups["text_length"] == ["text_length"]
    assert all(name.startswith("ngram_score_") for name in groups["ngrams"])
    assert not [name for name in groups if "=" in name]


@pytest.mark.parametrize(
    ("estimator", "n_classes"),
    [
        (XGBClassifier(n_estimators=20, max_depth=3, n_jobs=1), 3),
        (XGBClassifier(n_estimators=20, max_depth=3, n_jobs=1), 2),
        (LogisticRegression(C=0.01), 3),
        (LogisticRegression(C=0.01), 2),
        (LinearSVC(C=0.001), 3),
        (LinearSVC(C=0.001), 2),
    ],
)
def test_base_value_and_contributions_add_up_to_the_margin(
    estimator: Any, n_classes: int, encoded: pd.DataFrame, labels: pd.Series[int], groups: dict[str, list[str]]
) -> None:
    estimator.fit(encoded, np.minimum(labels, n_classes - 1))
    for position in (0, 7, -1):
        row = encoded.iloc[[position]]
        found = contributions(estimator, row, groups)
        if isinstance(estimator, XGBClassifier):
            expected = estimator.get_booster().predict(DMatrix(row), output_margin=True).ravel()
        else:
            expected = estimator.decision_function(row).ravel()
        expected = expected if n_classes == 3 else np.array([-expected[0], expected[0]])
        assert found.method.endswith("(exact)")
        assert found.base + found.values.sum(axis=1) == pytest.approx(expected, abs=1e-5)
        assert np.abs(found.rest).max() < 1e-5
        assert found.values.std() > 0


@pytest.mark.parametrize("estimator", [RandomForestClassifier(30, max_depth=4, random_state=0), SVC(kernel="linear")])
def test_any_other_classifier_is_asked_what_changes_without_a_group(
    estimator: Any, encoded: pd.DataFrame, labels: pd.Series[int], groups: dict[str, list[str]]
) -> None:
    blind = encoded.copy()
    blind[groups["sentences"]] = 0.0  # so that nothing can follow from it
    estimator.fit(blind, labels)
    found = contributions(estimator, encoded.iloc[[3]], groups)
    assert found.method == OCCLUSION
    assert not found.values[:, found.groups.index("sentences")].any()
    assert found.values.any()
    assert found.base + found.values.sum(axis=1) + found.rest == pytest.approx(found.margins)


def test_ngrams_add_up_to_their_score_and_lie_where_they_stand_in_the_text(
    model: Pipeline, messages: pd.DataFrame, encoded: pd.DataFrame
) -> None:
    ngrams = ngram_scores(model)
    assert ngrams is not None
    scores = pd.DataFrame(ngrams.transform(messages[["text"]].iloc[:5]), columns=ngrams.get_feature_names_out())
    for position in range(5):
        text = messages["text"].iloc[position]
        for label in range(3):
            effects = term_effects(ngrams, text, label)
            intercept = ngrams.intercept_[label]
            assert sum(effects.values()) + intercept == pytest.approx(scores.loc[position, f"ngram_score_{label}"])
            assert list(effects.values()) == sorted(effects.values(), reverse=True)
            words = word_effects(text, effects, ngrams.max_n, ngrams.sentences)
            assert sum(word.effect for word in words) == pytest.approx(sum(effects.values()))
            alone = {text[word.start : word.end].lower() for word in words}
            assert {term for term in effects if " " not in term} <= alone


def test_of_two_classes_what_speaks_for_one_speaks_against_the_other() -> None:
    texts = pd.DataFrame({"text": ["great food", "bad food"] * 10})
    ngrams = NgramScores(min_df=1, folds=2).fit(texts, np.array([1, 0] * 10))
    for_good, for_bad = (term_effects(ngrams, "Great, great food. Bad!", label) for label in (1, 0))
    assert for_good["great"] > 0 > for_good["bad"]
    assert for_bad == pytest.approx({term: -effect for term, effect in for_good.items()})


def test_a_decision_against_the_most_probable_class_gives_its_reason(model: Pipeline, messages: pd.DataFrame) -> None:
    weighed = copy.deepcopy(model)
    weighed.steps[-1][1].decision_weights_ = np.array([1.0, 1000.0, 1.0])
    row = messages.iloc[[0]]
    plain, found = (explain_message(pipeline, FIELDS, row, CLASSES, "positive") for pipeline in (model, weighed))
    assert found.label == "neutral"
    assert found.probabilities == plain.probabilities
    assert_names(found.decision, CLASSES[plain.most_probable], "neutral", "1000.00")
    assert not names(plain.decision, "1000.00")
    assert_names(found.verdict, "positive")
    assert found.base + sum(part.effect for part in found.parts) == pytest.approx(found.margin, abs=1e-5)


class WordReader(ClassifierMixin, BaseEstimator):
    """Reads texts itself: `wonderful` is what makes a message good."""

    def fit(self, X: pd.DataFrame, y: Any) -> Self:
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: pd.DataFrame) -> Any:
        good = X["text"].str.contains("wonderful").to_numpy()
        return np.where(good[:, np.newaxis], [0.1, 0.1, 0.8], [0.4, 0.3, 0.3])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        return tags


def test_of_a_model_that_reads_texts_words_are_left_out(
    world: World, messages: pd.DataFrame, labels: pd.Series[int]
) -> None:
    pipeline = Pipeline([
        ("imputer", imputer(FIELDS)),
        ("encoding", encoding(world.config.training, FIELDS, [], 0, keep_text=True)),
        ("scaler", "passthrough"),
        ("training", TunedClassifier(WordReader(), balance="none", calibration="none", metric=None)),
    ])  # fmt: skip
    pipeline.fit(messages[FIELDS.names], labels)
    row = messages.iloc[[0]].assign(text="A wonderful wonderful day. " + " ".join(f"w{i}" for i in range(150)))
    found = explain_message(pipeline, FIELDS, row, CLASSES)
    assert found.label == "positive"
    assert next(iter(found.terms.items())) == ("wonderful", pytest.approx(np.log(0.8 / 0.3)))
    assert not any(effect for word, effect in found.terms.items() if word != "wonderful")
    assert len(found.terms) == MOST_WORDS_LEFT_OUT
    assert found.terms_passed_over == 153 - MOST_WORDS_LEFT_OUT
    assert_names(explanation_page(found), found.terms_passed_over)
    assert {part.name: part.effect for part in found.parts} == {"text": pytest.approx(np.log(0.8 / 0.3))}


def test_what_messages_hold_is_shown_and_not_acted_on(model: Pipeline, messages: pd.DataFrame) -> None:
    """Guarantee: reports escape everything, and a terminal is not sent what it would act on."""
    text = "<script>alert(1)</script> great [bold]food[/bold] \x1b[2J & more"
    row = messages.iloc[[0]].assign(text=text, message_id='"><img src=x onerror=alert(2)>')
    found = explain_message(model, FIELDS, row, CLASSES)
    shown = explanation_page(found)
    assert "<script" not in shown
    assert "<img" not in shown
    assert "&lt;" in shown
    stream = io.StringIO()
    show_explanation(found, Console(file=stream, width=120, force_terminal=False))
    assert "[bold]food[/bold]" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("message_id", ["../../etc/passwd", "/abs", "..", "a b", "ä" * 300, "a\\b", "x" * 256, "~"])
def test_no_id_leaves_the_folder(tmp_path: Path, message_id: str) -> None:
    path = tmp_path / f"{explanation_name(message_id)}.html"
    path.write_text("")
    assert path.resolve().parent == tmp_path.resolve()
    assert explanation_name(message_id) != explanation_name(message_id + ".")


def test_a_harmless_id_is_its_own_name() -> None:
    assert explanation_name("-lDb2LX8KFvNx0_mSQChLtA") == "-lDb2LX8KFvNx0_mSQChLtA"
