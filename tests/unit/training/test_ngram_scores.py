from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from tests.naming import refusal

from batch_nlp.errors import DataError
from batch_nlp.storage.model_file import dump_model, load_model
from batch_nlp.storage.scratch import arrays_on_disk
from batch_nlp.training.cuts import sides_of
from batch_nlp.training.ngram_models import fit_ngram_models
from batch_nlp.training.ngram_scores import NgramScores
from batch_nlp.words import find_words


@pytest.fixture(scope="module")
def texts(messages: pd.DataFrame) -> pd.DataFrame:
    return messages[["text"]]


def test_the_scores_of_training_rows_come_from_models_that_have_not_seen_them(
    texts: pd.DataFrame, labels: pd.Series[int]
) -> None:
    y = labels.to_numpy()
    found = NgramScores(folds=3, sentences=False, random_state=4).fit_transform(texts, y)
    # the same, spelled out with scikit-learn
    weigh = TfidfVectorizer(ngram_range=(1, 3), tokenizer=find_words, token_pattern=None, sublinear_tf=True, min_df=3)
    weights = weigh.fit_transform(texts["text"])
    expected = np.full((len(y), 6), np.nan)
    for train, hold_out in StratifiedKFold(3, shuffle=True, random_state=4).split(y, y):
        model = LogisticRegression(C=4.0, class_weight="balanced", max_iter=300, tol=1e-3)
        model.fit(weights[train], y[train])
        expected[hold_out, :3] = model.decision_function(weights[hold_out])
        for name in range(3):
            inside, outside = (weights[train][y[train] == name], weights[train][y[train] != name])
            shares = [(side.sum(axis=0) + 0.1) / (side.sum(axis=0) + 0.1).sum() for side in (inside, outside)]
            ratio = np.asarray(np.log(shares[0] / shares[1])).ravel()
            ridge = RidgeClassifier(alpha=1.0, class_weight="balanced", solver="sparse_cg", tol=1e-10)
            ridge.fit(weights[train].multiply(ratio).tocsr(), y[train] == name)
            expected[hold_out, 3 + name] = ridge.decision_function(weights[hold_out].multiply(ratio).tocsr())
    # where the solvers stop: L-BFGS, and LSQR against an exact solution
    np.testing.assert_allclose(found[:, :3], expected[:, :3], atol=1e-4)
    np.testing.assert_allclose(found[:, 3:], expected[:, 3:], atol=1e-3)


@pytest.mark.parametrize("in_files", [False, True])
def test_any_number_of_threads_gives_the_same_models_bit_by_bit(
    tmp_path: Path, texts: pd.DataFrame, labels: pd.Series[int], in_files: bool
) -> None:
    one, four = NgramScores(threads=1), NgramScores(threads=4)
    expected = one.fit_transform(texts, labels)
    with arrays_on_disk(tmp_path if in_files else None):
        found = four.fit_transform(texts, labels)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(four.coef_, one.coef_)
    np.testing.assert_array_equal(four.intercept_, one.intercept_)


def test_labels_that_mean_nothing_are_not_found_again_in_the_scores_of_training_rows(texts: pd.DataFrame) -> None:
    y = np.random.default_rng(0).integers(0, 3, len(texts))
    step = NgramScores()
    out_of_fold, seen = step.fit_transform(texts, y), step.transform(texts)
    names = step.get_feature_names_out().tolist()
    for kind in ("ngram_score_", "ngram_score_nb_", "sentence_first_", "sentence_max_", "sentence_min_"):
        columns = [names.index(f"{kind}{name}") for name in range(3)]
        # 1/3 is chance; over 790 messages its standard deviation is about 0.017
        assert 0.26 < f1_score(y, out_of_fold[:, columns].argmax(axis=1), average="macro") < 0.41, kind
        if kind == "ngram_score_":
            assert f1_score(y, seen[:, columns].argmax(axis=1), average="macro") > 0.85, kind


@pytest.mark.parametrize("sentences", [True, False])
@pytest.mark.parametrize("classes", [2, 3])
def test_new_texts_get_the_same_scores_alone_in_any_company_and_from_a_copy(
    tmp_path: Path, texts: pd.DataFrame, labels: pd.Series[int], classes: int, sentences: bool
) -> None:
    y = np.minimum(labels.to_numpy(), classes - 1)
    step = NgramScores(sentences=sentences).fit(texts[:500], y[:500])
    new = texts[500:]
    scores = step.transform(new)
    assert np.isfinite(scores).all()
    alone = np.vstack([step.transform(new.iloc[row : row + 1]) for row in range(0, len(new), 3)])
    np.testing.assert_array_equal(alone, scores[::3])
    np.testing.assert_array_equal(step.transform(new[::-1])[::-1], scores)
    assert step.transform(new[:0]).shape == (0, scores.shape[1])
    dump_model(tmp_path / "model.skops", Pipeline([("ngrams", step)]))
    np.testing.assert_array_equal(load_model(tmp_path / "model.skops").transform(new), scores)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(step)).transform(new), scores)


def test_how_the_scores_spread_over_the_sentences_is_told(texts: pd.DataFrame, labels: pd.Series[int]) -> None:
    """What a sentence alone scores is what it scores within a text."""
    parts = ["The food was great!", "The service was awful.", "I will be back"]
    step = NgramScores().fit(texts, labels)
    alone = step.transform(pd.DataFrame({"text": parts}))[:, :3]
    assert len({tuple(row) for row in alone}) == 3
    both = step.transform(pd.DataFrame({"text": [" ".join(parts[:2]), "\n".join(parts)]}))[:, 6:]
    for row, members in zip(both, (alone[:2], alone), strict=True):
        found = dict(zip(step.get_feature_names_out()[6:], row, strict=True))
        for name in range(3):
            expected = [members[:, name].min(), members[:, name].max(), members[:, name].std(),
                        members[0, name], members[-1, name]]  # fmt: skip
            statistics = ("min", "max", "std", "first", "last")
            got = [found[f"sentence_{statistic}_{name}"] for statistic in statistics]
            np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
        assert found["sentence_count"] == len(members)


def test_no_term_crosses_the_end_of_a_sentence() -> None:
    frame = pd.DataFrame({"text": ["Not good. Bad food", "not bad. Good food"] * 2})
    y = np.array([0, 1] * 2)
    terms = NgramScores(min_df=1, folds=2).fit(frame, y).terms_.split("\n")
    assert sorted(terms) == ["bad", "bad food", "food", "good", "good food", "not", "not bad", "not good"]
    assert "good bad" in NgramScores(min_df=1, folds=2, sentences=False).fit(frame, y).terms_.split("\n")


def test_words_with_apostrophes_and_marks_are_terms_and_case_is_none() -> None:
    frame = pd.DataFrame({"text": ["Don't GO!", "don't go?", "$5 naïve", "über"]})
    step = NgramScores(max_n=2, min_df=1, folds=2).fit(frame, np.array([0, 0, 1, 1]))
    assert sorted(step.terms_.split("\n")) == [
        "!", "$", "$ 5", "5", "5 naïve", "?", "don't", "don't go", "go", "go !", "go ?", "naïve", "über",
    ]  # fmt: skip


def test_a_text_without_a_known_word_gets_the_intercept(texts: pd.DataFrame, labels: pd.Series[int]) -> None:
    step = NgramScores().fit(texts, labels)
    scores = step.transform(pd.DataFrame({"text": ["", "zzyzx", "😀. 😀"]}))
    np.testing.assert_allclose(scores[:, :6], [step.intercept_] * 3, atol=1e-12)
    of_a_sentence, nothing = step.intercept_[:3], np.zeros(3)
    spread = [*of_a_sentence, *of_a_sentence, *nothing, *of_a_sentence, *of_a_sentence]
    np.testing.assert_allclose(scores[:, 6:], [[*spread, number] for number in (1, 1, 2)], atol=1e-12)


@pytest.mark.parametrize("sentences", [True, False])
@pytest.mark.parametrize("classes", [2, 3])
def test_two_classes_give_one_score_of_a_kind_and_more_one_each(
    texts: pd.DataFrame, classes: int, sentences: bool
) -> None:
    y = np.arange(len(texts)) % classes
    step = NgramScores(folds=2, sentences=sentences)
    kinds = ["ngram_score_", "ngram_score_nb_"]
    if sentences:
        kinds += [f"sentence_{statistic}_" for statistic in ("min", "max", "std", "first", "last")]
    names = [f"{kind}{name}" for kind in kinds for name in ([1] if classes == 2 else range(3))]
    names += ["sentence_count"] * sentences
    assert step.fit_transform(texts, y).shape == (len(texts), len(names))
    assert step.transform(texts[:7]).shape == (7, len(names))
    assert step.get_feature_names_out().tolist() == names


def test_settings_limit_the_terms(texts: pd.DataFrame, labels: pd.Series[int]) -> None:
    assert len(NgramScores(max_features=50).fit(texts, labels).terms_.split("\n")) == 50
    words = NgramScores(max_n=1, min_df=20).fit(texts, labels).terms_.split("\n")
    assert words
    assert not any(" " in word for word in words)


def test_the_terms_of_most_texts_come_first() -> None:
    frame = pd.DataFrame({"text": ["a b", "b c", "c b b b", "d d d"]})
    step = NgramScores(max_n=1, min_df=1, folds=2, sentences=False).fit(frame, np.array([0, 0, 1, 1]))
    assert step.terms_.split("\n") == ["b", "c", "a", "d"]
    np.testing.assert_allclose(step.idf_, np.log(5 / np.array([4, 3, 2, 2])) + 1)


def test_a_model_of_before_the_cuts_scores_as_one_without_an_order(texts: pd.DataFrame, labels: pd.Series[int]) -> None:
    step = NgramScores(max_n=2).fit(texts, labels)
    # version 1 had neither the attribute nor triples
    state = {name: value for name, value in step.__getstate__().items() if name != "cuts_"}
    old = NgramScores.__new__(NgramScores)
    old.__dict__.update(state)
    np.testing.assert_array_equal(old.transform(texts), step.transform(texts))
    assert old.get_feature_names_out().tolist() == step.get_feature_names_out().tolist()


def test_an_unfitted_step_says_so() -> None:
    for use in (lambda step: step.transform(pd.DataFrame({"text": ["a"]})), NgramScores.get_feature_names_out):
        with pytest.raises(NotFittedError):
            use(NgramScores())


def test_a_clone_has_the_settings_and_nothing_learned(texts: pd.DataFrame, labels: pd.Series[int]) -> None:
    step = NgramScores(max_n=1, min_df=2, max_features=99, c=0.5, folds=3, sentences=False, random_state=8).fit(
        texts, labels
    )
    copy = clone(step)
    assert copy.get_params() == step.get_params()
    assert not hasattr(copy, "terms_")


def test_texts_that_share_no_word_are_a_data_error() -> None:
    texts = pd.DataFrame({"text": [f"word{number}" for number in range(40)]})
    with refusal(DataError, "training.ngrams.min_df=3", 40):
        NgramScores().fit(texts, [number % 2 for number in range(40)])


def test_cuts_of_an_order_are_learned_like_classes(texts: pd.DataFrame) -> None:
    places = np.random.default_rng(0).integers(1, 6, len(texts)).astype(float)
    y = np.digitize(places, [2.5, 3.5])
    step, plain = NgramScores(), NgramScores()
    found, expected = step.fit_transform(texts, y, places), plain.fit_transform(texts, y)
    names = step.get_feature_names_out().tolist()
    assert step.cuts_ == (1.0, 2.0, 3.0, 4.0)
    assert plain.cuts_ == ()
    assert found.shape == (len(texts), len(names))
    # 1 star against the rest is a class of its own here
    alone = NgramScores().fit(texts, np.where(places == 1, 1, 0))
    scores = pd.DataFrame(step.transform(texts), columns=names)
    first = [names.index(name) for name in plain.get_feature_names_out()]
    np.testing.assert_array_equal(found[:, first], expected)
    np.testing.assert_allclose(scores["ngram_score_above_1"], -alone.transform(texts)[:, 1], atol=1e-3)
    # a cut between one class and all others has the ridge regression of the class
    np.testing.assert_array_equal(scores["ngram_score_above_2"], -scores["ngram_score_nb_0"])
    np.testing.assert_array_equal(scores["ngram_score_above_3"], scores["ngram_score_nb_2"])
    assert "sentence_std_above_4" in names


def test_labels_without_a_place_do_not_count_for_the_cuts(texts: pd.DataFrame) -> None:
    places = (np.arange(len(texts)) % 5).astype(np.float64)
    y = np.digitize(places, [1.5, 2.5])
    some = np.arange(len(texts)) % 7 > 0
    step = NgramScores().fit(texts, y, np.where(some, places, np.nan))
    # the terms and their weights are those of all texts
    weights = step.weigh_terms(texts["text"].to_list())[0]
    only = fit_ngram_models(csr_array(weights[some]), y[some], 4.0, 1, [sides_of(places[some], 0.0)])
    np.testing.assert_allclose(step.coef_[6], only.coef[6], atol=1e-6)


def test_a_text_without_spaces_has_many_words() -> None:
    texts = pd.DataFrame({"text": ["这家店很好吃。", "味道很好", "服务很差！", "味道太差了", "很好很好", "太差"] * 5})
    step = NgramScores(folds=2).fit(texts, np.array([1, 1, 0, 0, 1, 0] * 5))
    assert {"很", "很 好", "太 差"} <= set(step.terms_.split("\n"))
    # texts that are in no training text
    good, bad = step.transform(pd.DataFrame({"text": ["好，店家好", "差，店家差"]}))[:, 0]
    assert good > bad


def test_a_model_of_an_earlier_release_keeps_its_words() -> None:
    texts = pd.DataFrame({"text": ["很好 吃", "很差 吃"] * 5})
    step = NgramScores(sentences=False, folds=2).fit(texts, np.array([1, 0] * 5))
    step.terms_, step.idf_ = "很好\n很差\n吃", np.ones(3)
    step.__dict__.pop("_counter")
    known = ["很好 吃", "很 好 吃"]
    assert np.diff(step.weigh_terms(known)[0].indptr).tolist() == [1, 1]
    # the file of such a model does not name the attribute
    del step.all_spaced_
    step.__dict__.pop("_counter")
    assert np.diff(step.weigh_terms(known)[0].indptr).tolist() == [2, 1]
