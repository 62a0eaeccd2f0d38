from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from batch_nlp.training.landmarks import Landmarks


def vectors(number: int, seed: int = 0, dims: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(number, dims))


def mapped(landmarks: Landmarks, X: np.ndarray) -> np.ndarray:
    return landmarks.similarities(X) @ landmarks.root()


def test_products_of_the_map_are_the_kernel_if_every_vector_is_a_landmark() -> None:
    X = vectors(50)
    found = mapped(Landmarks(most=50, gamma=0.7).fit(X), X)
    distances = ((X[:, np.newaxis] - X) ** 2).sum(axis=2) / X.shape[1]
    np.testing.assert_allclose(found @ found.T, np.exp(-0.7 * distances), atol=0.01)


def test_the_border_between_classes_may_be_curved() -> None:
    X, new = vectors(600, 0, 2), vectors(300, 1, 2)
    inside, of_new = np.linalg.norm(X, axis=1) < 1, np.linalg.norm(new, axis=1) < 1
    landmarks = Landmarks(most=40).fit(X)
    fitted = LinearSVC(random_state=0).fit(mapped(landmarks, X), inside)
    assert (fitted.predict(mapped(landmarks, new)) == of_new).mean() > 0.95
    straight = LinearSVC(random_state=0).fit(X, inside)
    assert (straight.predict(new) == of_new).mean() < 0.8


def test_similarities_do_not_depend_on_the_other_vectors() -> None:
    landmarks, new = Landmarks(most=20).fit(vectors(100)), vectors(30, 1)
    alone = np.vstack([landmarks.similarities(new[[row]]) for row in range(len(new))])
    assert landmarks.similarities(new).tobytes() == alone.tobytes()


def test_equal_vectors_are_no_special_case() -> None:
    X = np.repeat(vectors(5), 8, axis=0)
    found = mapped(Landmarks(most=40).fit(X), X)
    np.testing.assert_allclose((found**2).sum(axis=1), 1, atol=0.01)


@pytest.mark.parametrize("shape", [(10, 0), (1, 4)])
def test_no_vectors_have_no_landmarks_and_one_has_one(shape: tuple[int, int]) -> None:
    X = np.zeros(shape)
    assert mapped(Landmarks().fit(X), X).shape == (shape[0], min(shape))
    assert Landmarks().fit(vectors(3)).similarities(vectors(0)).shape == (0, 3)
