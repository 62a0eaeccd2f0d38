from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from batch_nlp.config import Balance, Calibration
from batch_nlp.training.calibration import new_calibrator
from batch_nlp.training.decision_weights import tune_weights
from batch_nlp.training.tuned_classifier import TunedClassifier

Labels = NDArray[np.int64]


def three_clouds(n: int, seed: int) -> tuple[pd.DataFrame, Labels]:
    """Return rows around one centre a class, and their classes; the middle class is rare."""
    random = np.random.default_rng(seed)
    labels = random.choice(3, n, p=[0.25, 0.1, 0.65])
    X = random.normal(0, 1, (n, 4))
    X[:, 0] += 2 * labels
    X[:, 1] += 2 * (labels == 1)
    return pd.DataFrame(X, columns=list("abcd")), labels


class Centres(ClassifierMixin, BaseEstimator):
    """Takes the nearest class centre, and remembers what it was fitted on."""

    def fit(self, X: pd.DataFrame, y: Labels, sample_weight: NDArray[np.float64] | None = None) -> Self:
        self.classes_ = np.unique(y)
        self.X_, self.y_, self.sample_weight_ = X, y, sample_weight
        self.centres_ = np.array([X[y == name].mean(axis=0) for name in self.classes_])
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        distances = ((X.to_numpy()[:, np.newaxis] - self.centres_) ** 2).sum(axis=2)
        return np.asarray(softmax(-distances, axis=1))


class WithValidationPart(Centres):
    """Keeps its last 60 rows for itself, and says that it is unsure of all of them alike, and likes class 1."""

    def fit(self, X: pd.DataFrame, y: Labels, sample_weight: NDArray[np.float64] | None = None) -> Self:
        super().fit(X, y, sample_weight)
        self.validation_rows_ = np.arange(len(y) - 60, len(y))
        self.validation_probabilities_ = np.random.default_rng(0).dirichlet([1, 3, 1], 60)
        return self


@pytest.mark.parametrize("calibration", [kind.value for kind in Calibration])
@pytest.mark.parametrize("balance", [kind.value for kind in Balance])
def test_every_balance_and_calibration_gives_sound_probabilities_and_decisions(balance: str, calibration: str) -> None:
    X, y = three_clouds(250, 0)
    before = X.copy()
    model = TunedClassifier(LogisticRegression(), balance, calibration).fit(X, y)
    pd.testing.assert_frame_equal(X, before)
    X_new, y_new = three_clouds(1000, 1)
    probabilities = model.predict_proba(X_new)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    assert model.predict(X_new).tolist() == (probabilities * model.decision_weights_).argmax(axis=1).tolist()
    assert model.decide(probabilities).tolist() == model.predict(X_new).tolist()
    assert f1_score(y_new, model.predict(X_new), average="macro") > 0.6


@pytest.mark.parametrize("in_a_pipeline", [False, True])
def test_fitted_again_the_classifier_alone_changes(in_a_pipeline: bool) -> None:
    X, y = three_clouds(250, 0)
    judged = TunedClassifier(Centres(), "weights").fit(X[:150], y[:150])
    again = TunedClassifier(Centres(), "weights")
    if in_a_pipeline:  # as a classifier that reads texts is fitted
        Pipeline([("training", again)]).fit(X, y, training__judged=judged)
    else:
        again.fit(X, y, judged)
    assert len(again.estimator_.y_) == 250
    np.testing.assert_array_equal(again.decision_weights_, judged.decision_weights_)
    scores = np.log([[0.2, 0.3, 0.5]])
    np.testing.assert_array_equal(again.calibrator_.transform(scores), judged.calibrator_.transform(scores))
    alone = TunedClassifier(Centres(), "weights").fit(X, y)
    assert not np.array_equal(again.calibrator_.transform(scores), alone.calibrator_.transform(scores))


@pytest.mark.parametrize(("balance", "shares"), [("none", [0.25, 0.1, 0.65]), ("weights", [1 / 3] * 3)])
def test_rows_weigh_as_the_balance_says(balance: str, shares: list[float]) -> None:
    X, y = three_clouds(400, 2)
    fitted = TunedClassifier(Centres(), balance).fit(X, y).estimator_
    pd.testing.assert_frame_equal(fitted.X_, X)
    weights = np.ones(len(y)) if fitted.sample_weight_ is None else fitted.sample_weight_
    assert np.bincount(fitted.y_, weights) / weights.sum() == pytest.approx(shares, abs=0.03)


def test_smote_adds_rows_between_neighbours_until_the_classes_are_of_one_size() -> None:
    X, y = three_clouds(400, 2)
    fitted = TunedClassifier(Centres(), "smote").fit(X, y).estimator_
    assert np.bincount(fitted.y_).tolist() == [np.bincount(y).max()] * 3
    pd.testing.assert_frame_equal(fitted.X_[: len(X)], X)
    made_up, of_class = fitted.X_[len(X) :], fitted.y_[len(X) :]
    for name in (0, 1):
        real = X[y == name]
        assert ((made_up[of_class == name] >= real.min()) & (made_up[of_class == name] <= real.max())).all(axis=None)


def test_smote_makes_do_with_a_class_of_few_messages() -> None:
    X, y = three_clouds(60, 2)
    y = np.where(np.arange(60) < 4, 1, np.where(y == 1, 0, y))  # class 1 has four rows, two or three in a fold
    fitted = TunedClassifier(Centres(), "smote", folds=2).fit(X, y).estimator_
    assert len(set(np.bincount(fitted.y_))) == 1


def test_labels_that_mean_nothing_are_not_trusted() -> None:
    """A model that knows its training rows by heart is calibrated on rows that it has not seen."""
    X, _ = three_clouds(300, 3)
    y = np.random.default_rng(0).choice(3, 300, p=[0.2, 0.2, 0.6])
    model = TunedClassifier(DecisionTreeClassifier(random_state=0), "none", metric=None).fit(X, y)
    assert (model.estimator_.predict(X) == y).all()
    assert model.predict_proba(X).max() < 0.8
    np.testing.assert_allclose(model.predict_proba(X).mean(axis=0), [0.2, 0.2, 0.6], atol=0.1)


def test_a_classifiers_own_validation_part_takes_the_place_of_folds() -> None:
    X, y = three_clouds(400, 4)
    model = TunedClassifier(WithValidationPart(), calibration="isotonic", folds=400, random_state=5).fit(X, y)
    rows, probabilities = model.estimator_.validation_rows_, model.estimator_.validation_probabilities_
    calibrator = new_calibrator(Calibration.isotonic).fit(np.log(probabilities), y[rows])
    weights = tune_weights(calibrator.transform(np.log(probabilities)), y[rows], "f1_macro", 5)
    np.testing.assert_array_equal(model.decision_weights_, weights)
    expected = calibrator.transform(np.log(Centres().fit(X, y).predict_proba(X)))
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-9)


def test_without_a_metric_the_most_probable_class_is_taken() -> None:
    X, y = three_clouds(300, 6)
    model = TunedClassifier(LogisticRegression(), metric=None).fit(X, y)
    assert model.decision_weights_.tolist() == [1, 1, 1]
    assert model.predict(X).tolist() == model.predict_proba(X).argmax(axis=1).tolist()


def test_with_many_classes_a_temperature_is_fitted_and_no_weights() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(630) % 21
    X = pd.DataFrame(random.normal(0, 0.3, (630, 21)) + np.eye(21)[labels])
    fitted = TunedClassifier(Centres(), balance="none", calibration="logistic").fit(X, labels)
    assert fitted.calibrator_.temperature_ > 0
    assert fitted.decision_weights_.tolist() == [1.0] * 21
    fitted = TunedClassifier(Centres(), balance="none", metric="shares").fit(X, labels)
    assert len(set(fitted.decision_weights_)) == 21


def test_without_calibration_and_metric_the_classifier_speaks_for_itself() -> None:
    X, y = three_clouds(300, 6)
    model = TunedClassifier(LogisticRegression(), "none", "none", None, folds=400).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), LogisticRegression().fit(X, y).predict_proba(X), atol=1e-9)


@pytest.mark.parametrize("classes", [[0, 1], [3, 7], ["bad", "good"], ["a", "b", "c"]])
def test_classes_keep_their_names(classes: list[Any]) -> None:
    X, y = three_clouds(300, 7)
    names = np.array(classes)[np.minimum(y, len(classes) - 1)]
    model = TunedClassifier(LinearSVC()).fit(X, names)
    assert model.classes_.tolist() == classes
    assert model.predict_proba(X).shape == (300, len(classes))
    assert (model.predict(X) == names).mean() > 0.6
    assert model.decide(model.predict_proba(X)).tolist() == np.searchsorted(classes, model.predict(X)).tolist()


@pytest.mark.parametrize("balance", ["weights", "smote"])
def test_the_seed_alone_decides(balance: str) -> None:
    X, y = three_clouds(300, 8)
    first, same, other = (
        TunedClassifier(LogisticRegression(), balance, random_state=seed).fit(X, y) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.predict_proba(X), same.predict_proba(X))
    np.testing.assert_array_equal(first.decision_weights_, same.decision_weights_)
    assert (first.predict_proba(X) != other.predict_proba(X)).any()


def test_it_keeps_scikit_learns_contract() -> None:
    model = TunedClassifier(LogisticRegression(C=0.3), "smote", "isotonic", "f1_weighted", 4, 9)
    assert is_classifier(model)
    copy = clone(model)
    assert {**copy.get_params(), "estimator": None} == {**model.get_params(), "estimator": None}
    assert copy.get_params()["estimator__C"] == 0.3
    assert model.set_params(estimator__C=2.0).estimator.C == 2.0
    X, y = three_clouds(200, 9)
    assert model.fit(X, y) is model
    assert not hasattr(model.estimator, "coef_")  # what it was given stays unfitted
    assert not hasattr(clone(model), "calibrator_")
    assert 0.5 < model.score(X, y) <= 1
    for use in (copy.predict, copy.predict_proba):
        with pytest.raises(NotFittedError):
            use(X)
