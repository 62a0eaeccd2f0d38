from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from batch_nlp.errors import DataError
from batch_nlp.storage.model_file import dump_model, load_model
from batch_nlp.training import linear_text
from batch_nlp.training.linear_text import LinearText

CLASSES = ["card", "loan", "rate"]
WORDS = {"card": ["card", "pin", "lost"], "loan": ["loan", "house", "borrow"], "rate": ["rate", "dollar", "change"]}


def requests(number: int, seed: int, classes: list[str] = CLASSES) -> tuple[pd.DataFrame, np.ndarray]:
    """Return requests of a few words, two of which indicate the class, with vectors of noise."""
    random = np.random.default_rng(seed)
    labels = random.choice(classes, number)
    texts = [" ".join([*random.choice(WORDS[name], 2), *random.choice(["my", "the", "a"], 3)]) for name in labels]
    frame = pd.DataFrame(random.normal(size=(number, 4)), columns=[f"embedding={place:03d}" for place in range(4)])
    return frame.assign(text=texts), labels


@pytest.mark.parametrize("classes", [CLASSES, CLASSES[:2]])
def test_it_learns_from_few_requests(classes: list[str]) -> None:
    X, y = requests(200, 0, classes)
    new, truth = requests(200, 1, classes)
    fitted = LinearText().fit(X, y)
    assert (fitted.predict(new) == truth).mean() > 0.97
    assert fitted.classes_.tolist() == classes


def test_a_score_does_not_depend_on_the_other_messages() -> None:
    fitted = LinearText().fit(*requests(200, 0))
    new, _ = requests(50, 1)
    together = fitted.decision_function(new)
    alone = np.vstack([fitted.decision_function(new.iloc[[row]]) for row in range(len(new))])
    assert together.tobytes() == alone.tobytes()


def test_a_loaded_model_scores_the_same_and_the_file_is_equal_byte_for_byte(tmp_path: Path) -> None:
    X, y = requests(200, 0)
    for name in ("one", "two"):
        dump_model(tmp_path / name, Pipeline([("training", LinearText(random_state=3).fit(X, y))]))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    loaded = load_model(tmp_path / "one")
    fitted = LinearText(random_state=3).fit(X, y)
    assert loaded.decision_function(X).tobytes() == fitted.decision_function(X).tobytes()
    # what is rebuilt when needed is not written
    dump_model(tmp_path / "again", loaded)
    assert (tmp_path / "again").read_bytes() == (tmp_path / "one").read_bytes()


def test_weights_in_eight_bits_score_as_those_of_the_solver() -> None:
    from scipy.sparse import csr_array, hstack
    from sklearn.svm import LinearSVC

    X, y = requests(300, 0)
    fitted = LinearText(c=0.5, vectors=2.0).fit(X, y)
    landmarks, weights = fitted.landmarks_, fitted.weights_.transform(X["text"].tolist())
    near = landmarks.similarities(X.drop(columns="text").to_numpy()) @ landmarks.root()
    found = fitted.scores_by_model(X)
    assert found.shape == (300, 9)
    for place, columns in enumerate([hstack([weights, csr_array(2.0 * near)], format="csr"), weights]):
        exact = LinearSVC(C=0.5, random_state=0).fit(columns, y).decision_function(columns)
        assert np.abs(found[:, 3 * place : 3 * place + 3] - exact).max() < 0.02
    np.testing.assert_allclose(fitted.decision_function(X), found.reshape(300, 3, 3).sum(axis=1))


def test_many_classes_have_one_model() -> None:
    X, _ = requests(300, 0)
    y = np.arange(300) % 21
    fitted = LinearText().fit(X, y)
    assert fitted.scores_by_model(X).shape == (300, 21)
    assert LinearText().fit(X, y % 20).scores_by_model(X).shape == (300, 60)


def test_with_many_messages_there_are_fewer_landmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_text, "_SIMILARITIES", 3_000)
    assert LinearText().fit(*requests(300, 0)).landmarks_.vectors_.shape == (10, 4)


def test_without_vectors_it_learns_from_the_texts_alone() -> None:
    X, y = requests(200, 0)
    new, truth = requests(100, 1)
    fitted = LinearText().fit(X[["text"]], y)
    assert (fitted.predict(new[["text"]]) == truth).mean() > 0.97


def test_weights_of_the_rows_count() -> None:
    X = pd.DataFrame({"text": ["same words here"] * 40})
    y = np.array(["a"] * 30 + ["b"] * 10)
    weight = np.where(y == "a", 1.0, 9.0)
    assert LinearText().fit(X, y).predict(X)[0] == "a"
    assert LinearText().fit(X, y, weight).predict(X)[0] == "b"


def test_nothing_to_learn_from_is_an_error() -> None:
    X = pd.DataFrame({"text": ["one", "two", "ski"]})
    with pytest.raises(DataError, match=r"model\.params\.min_df=2"):
        LinearText().fit(X, np.array(["a", "b", "a"]))
