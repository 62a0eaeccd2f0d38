"""Similarities of vectors to some of them: what a linear model needs to draw curved borders."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

# Smaller eigenvalues of the similarities between landmarks are noise, such as that of two equal texts
_LEAST = 1e-3
# Rows whose similarities are computed at a time
_ROWS = 10_000


class Landmarks(BaseEstimator):
    """Map vectors so that their products approximate a Gaussian kernel (Nyström; Williams and Seeger, 2001).

    A message's result does not depend on the messages beside it.

    Parameters
    ----------
    most : int
        Most landmarks, which are drawn from the vectors.
    gamma : float
        Width of the kernel, exp(-gamma d²), where the mean of d² between vectors is 2.
    random_state : int
        Seed of the draw.

    Attributes
    ----------
    vectors_ : ndarray of float32, shape (n_landmarks, n_dims)
        The landmarks, in units of the typical length of a vector.
    """

    def __init__(self, most: int = 1_200, gamma: float = 0.7, random_state: int = 0) -> None:
        self.most = most
        self.gamma = gamma
        self.random_state = random_state

    def fit(self, vectors: NDArray[np.float64], y: object = None) -> Self:
        """Draw landmarks from vectors whose dimensions have unit variance, shape (n, n_dims)."""
        number = min(self.most, len(vectors)) if vectors.shape[1] else 0
        rows = np.sort(np.random.default_rng(self.random_state).choice(len(vectors), number, replace=False))
        self.vectors_ = _shrink(vectors[rows])
        return self

    def root(self) -> NDArray[np.float64]:
        """Return the inverse square root of the similarities between landmarks, shape (n_landmarks, n_landmarks).

        Similarities times this root are the map; they are scored directly by weights that are multiplied by it.
        """
        between = self._similarities(self.vectors_).astype(np.float64)
        # with several threads, the last digits depend on their number
        with threadpool_limits(1, user_api="blas"):
            values, directions = np.linalg.eigh(between)
            kept = values > _LEAST
            return np.asarray((directions[:, kept] / np.sqrt(values[kept])) @ directions[:, kept].T)

    def similarities(self, vectors: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the kernel between vectors and landmarks, shape (n, n_landmarks)."""
        parts = [self._similarities(_shrink(vectors[start : start + _ROWS])) for start in range(0, len(vectors), _ROWS)]
        return np.vstack(parts) if parts else self._similarities(_shrink(vectors))

    def _similarities(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        # a sparse product, since the last digits of a dense one depend on the other rows
        products = csr_array(vectors) @ np.ascontiguousarray(self.vectors_.T)
        lengths = (self.vectors_**2).sum(axis=1)
        distances = (vectors**2).sum(axis=1)[:, np.newaxis] + lengths - 2 * products
        return np.asarray(np.exp(-self.gamma * np.maximum(distances, 0)))


def _shrink(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(vectors / max(vectors.shape[1], 1) ** 0.5, dtype=np.float32)
