from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax

from batch_nlp.monitoring.statistics.priors import estimate_priors

TRAINING = np.array([0.2, 0.15, 0.65])
CENTRES = np.array([[0.0, 0.0], [1.5, 0.5], [0.5, 2.0]])


def drawn(shares: NDArray[np.float64], n: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return points of normal clouds and the class of each."""
    random = np.random.default_rng(seed)
    labels = random.choice(len(shares), n, p=shares)
    return CENTRES[labels] + random.normal(size=(n, 2)), labels


def posterior(points: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the true class probabilities of points where classes have these shares."""
    distances = ((points[:, None] - CENTRES) ** 2).sum(axis=2)
    return np.asarray(softmax(np.log(shares) - distances / 2, axis=1))


@pytest.mark.parametrize("shares", [[0.2, 0.15, 0.65], [0.6, 0.1, 0.3], [0.05, 0.9, 0.05], [0.5, 0.5, 0.0]])
def test_shares_are_found_within_their_sampling_error(shares: list[float]) -> None:
    errors = []
    for seed in range(20):
        points, _ = drawn(np.array(shares), 5000, seed)
        errors.append(estimate_priors(posterior(points, TRAINING), TRAINING) - shares)
    # labels alone would leave 0.007; that classes overlap here makes it up to twice as much
    assert np.abs(errors).max() < 0.05
    assert np.sqrt(np.mean(np.square(errors), axis=0)).max() < 0.016
    assert np.abs(np.mean(errors, axis=0)).max() < 0.01


def test_the_mean_of_the_probabilities_is_not_good_enough() -> None:
    points, _ = drawn(np.array([0.6, 0.1, 0.3]), 5000, 0)
    assert abs(posterior(points, TRAINING).mean(axis=0)[0] - 0.6) > 0.1


def test_the_estimate_is_where_reweighting_changes_nothing_more() -> None:
    points, _ = drawn(np.array([0.6, 0.1, 0.3]), 3000, 1)
    probabilities = posterior(points, TRAINING)
    shares = estimate_priors(probabilities, TRAINING)
    np.testing.assert_allclose(posterior(points, shares).mean(axis=0), shares, atol=1e-6)
    assert shares.sum() == pytest.approx(1)


def test_certain_predictions_are_counted() -> None:
    certain = np.eye(3)[[0, 0, 0, 1, 2, 2, 2, 2, 2, 2]]
    np.testing.assert_allclose(estimate_priors(certain, TRAINING), [0.3, 0.1, 0.6], atol=1e-6)


def test_a_class_that_training_did_not_have_breaks_nothing() -> None:
    training = np.array([0.4, 0.6, 0.0])
    probabilities = np.array([[0.4, 0.6, 0.0], [0.0, 0.0, 1.0], [0.9, 0.1, 0.0], [0.2, 0.3, 0.5]])
    shares = estimate_priors(probabilities, training)
    assert shares.sum() == pytest.approx(1)
    assert shares[2] == pytest.approx(0.25)


def test_without_messages_the_shares_are_those_of_the_training() -> None:
    np.testing.assert_array_equal(estimate_priors(np.empty((0, 3)), TRAINING), TRAINING)
