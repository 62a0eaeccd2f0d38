from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from batch_nlp.config import Calibration
from batch_nlp.training.calibration import (
    LogisticCalibrator,
    TemperatureCalibrator,
    calibration_error,
    class_scores,
    new_calibrator,
    reliability,
)

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]


def drawn(probabilities: Matrix, seed: int) -> Labels:
    """Return a class for each row, drawn with its probabilities."""
    uniform = np.random.default_rng(seed).random((len(probabilities), 1))
    return np.minimum((probabilities.cumsum(axis=1) < uniform).sum(axis=1), probabilities.shape[1] - 1)


def clouds(n: int, k: int, seed: int) -> tuple[Matrix, Labels]:
    """Return points around one centre a class, and their classes; the last class is the largest."""
    random = np.random.default_rng(seed)
    labels = random.choice(k, n, p=np.arange(1, k + 1) / (k * (k + 1) / 2))
    return random.normal(0, 1.2, (n, k)) + np.eye(k)[labels], labels


def test_the_temperature_of_known_scores_is_found_again() -> None:
    logits = np.random.default_rng(0).normal(0, 2, (8000, 3))
    labels = drawn(softmax(logits, axis=1), 1)
    for temperature in (0.4, 1.0, 3.0):
        found = TemperatureCalibrator().fit(logits * temperature, labels)
        assert found.temperature_ == pytest.approx(temperature, rel=0.05)
        np.testing.assert_allclose(found.transform(logits * temperature), softmax(logits, axis=1), atol=0.02)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize(
    ("kind", "method", "model", "tolerance"),
    [
        # both search for the temperature numerically
        ("temperature", "temperature", LogisticRegression(class_weight="balanced"), 1e-4),
        ("isotonic", "isotonic", GaussianNB(), 1e-9),
    ],
)
def test_calibration_agrees_with_scikit_learn(
    kind: str, method: str, model: LogisticRegression | GaussianNB, tolerance: float, k: int
) -> None:
    (X, y), (X_fit, y_fit), (X_new, _) = (clouds(600, k, seed) for seed in (1, 2, 3))
    model.fit(X, y)
    found = new_calibrator(Calibration(kind)).fit(class_scores(model, X_fit), y_fit)
    expected = CalibratedClassifierCV(FrozenEstimator(model), method=method).fit(X_fit, y_fit)
    if kind == "isotonic" and k == 2:
        # of two classes scikit-learn calibrates the second one alone; both functions are then mirror images
        tolerance = 1e-6
    np.testing.assert_allclose(
        found.transform(class_scores(model, X_new)), expected.predict_proba(X_new), rtol=0, atol=tolerance
    )


def test_logistic_calibration_takes_back_what_balanced_weights_did_to_the_shares() -> None:
    shares = np.array([0.2, 0.1, 0.7])
    random = np.random.default_rng(3)
    labels = random.choice(3, 20000, p=shares)
    centres = np.array([[0.0, 0], [1.5, 0], [0, 1.5]])
    X = centres[labels] + random.normal(0, 1, (len(labels), 2))
    # the exact posterior if the classes were of one size, as a balanced classifier estimates it, and the true one
    likelihood = -((X[:, np.newaxis] - centres) ** 2).sum(axis=2) / 2
    balanced, true = log_softmax(likelihood, axis=1), softmax(likelihood + np.log(shares), axis=1)
    assert np.abs(np.exp(balanced) - true).mean() > 0.1
    fit, new = slice(0, 10000), slice(10000, None)
    found = new_calibrator(Calibration.logistic).fit(balanced[fit], labels[fit]).transform(balanced[new])
    assert np.abs(found - true[new]).mean() < 0.02
    np.testing.assert_allclose(found.mean(axis=0), shares, atol=0.02)
    assert calibration_error(found, labels[new]) < 0.02


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("kind", list(Calibration))
def test_probabilities_are_probabilities_whatever_the_scores(kind: Calibration, k: int) -> None:
    scores, labels = clouds(300, k, 5)
    calibrator = new_calibrator(kind).fit(scores, labels)
    extreme = np.vstack([scores * 1000, np.full((1, k), -27.6), np.eye(k) * 1e6, np.zeros((1, k))])
    found = calibrator.transform(extreme)
    assert found.shape == extreme.shape
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", list(Calibration))
def test_a_message_has_the_same_probabilities_alone_and_in_any_company(kind: Calibration) -> None:
    """Guarantee 4: to the last bit."""
    scores, labels = clouds(300, 3, 5)
    calibrator = new_calibrator(kind).fit(scores, labels)
    found = calibrator.transform(scores)
    for size in (1, 2, 7):
        parts = [calibrator.transform(scores[start : start + size]) for start in range(0, len(scores), size)]
        np.testing.assert_array_equal(np.vstack(parts), found)


def test_without_calibration_a_classifiers_own_probabilities_stay() -> None:
    X, y = clouds(200, 3, 6)
    model = GaussianNB().fit(X, y)
    scores = class_scores(model, X)
    found = new_calibrator(Calibration.none).fit(scores, y).transform(scores)
    np.testing.assert_allclose(found, model.predict_proba(X), atol=1e-9)


@pytest.mark.parametrize("k", [2, 3])
def test_scores_have_a_column_for_each_class_with_and_without_probabilities(k: int) -> None:
    X, y = clouds(200, k, 7)
    for model in (GaussianNB(), LinearSVC()):
        scores = class_scores(model.fit(X, y), X)
        assert scores.shape == (200, k)
        assert scores.argmax(axis=1).tolist() == model.predict(X).tolist()


# bins of 1/15: 0.9 is in the one from 0.867, 0.7 in that from 0.667, 0.6 in that from 0.6
FOUR = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.3, 0.7]])
FOUR_LABELS = np.array([0, 1, 0, 1])


def test_reliability_and_calibration_error_of_four_messages_by_hand() -> None:
    bins = reliability(FOUR, FOUR_LABELS)
    assert [found["messages"] for found in bins] == [1, 1, 2]
    assert [found["confidence"] for found in bins] == pytest.approx([0.6, 0.7, 0.9])
    assert [found["accuracy"] for found in bins] == [1, 1, 0.5]
    # (1 x 0.4 + 1 x 0.3 + 2 x 0.4) / 4
    assert calibration_error(FOUR, FOUR_LABELS) == pytest.approx(0.375)


def test_who_is_certain_and_right_has_no_calibration_error() -> None:
    assert calibration_error(np.eye(3), np.arange(3)) == 0
    assert calibration_error(np.eye(3), np.array([1, 2, 0])) == 1


def test_probabilities_that_hold_have_a_small_error_and_exaggerated_ones_a_large_one() -> None:
    probabilities = np.random.default_rng(8).dirichlet([1, 1, 2], 20000)
    labels = drawn(probabilities, 9)
    assert calibration_error(probabilities, labels) < 0.02
    exaggerated = probabilities**3
    assert calibration_error(exaggerated / exaggerated.sum(axis=1, keepdims=True), labels) > 0.1


def test_the_calibration_of_many_classes_takes_no_memory_for_each_pair_of_them_and_message() -> None:
    rng = np.random.default_rng(0)
    calibrator = LogisticCalibrator()
    calibrator.coef_, calibrator.intercept_ = rng.normal(size=(150, 150)), rng.normal(size=150)
    scores = rng.normal(size=(2000, 150))
    tracemalloc.start()
    found = calibrator.transform(scores)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.3 * 2000 * 150 * 150 * 8
    np.testing.assert_array_equal(found[1234:1235], calibrator.transform(scores[1234:1235]))
