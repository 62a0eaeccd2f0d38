"""The interface of all embedding backends, and what they have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from batch_nlp.chunks import replace_surrogates

FloatMatrix = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into vectors."""

    # Length of a vector
    dims: int

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Return the vectors of texts, shape (n, dims): one finite row per text, in the order of the texts.

        Texts may be any Unicode, including empty texts and lone surrogates.
        """
        ...


class NoEmbedder:
    """Gives every text an empty vector."""

    dims = 0

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Return an array of shape (n, 0)."""
        return np.empty((len(texts), 0), dtype=np.float32)


def encode_unique(texts: Sequence[str], dims: int, encode: Callable[[list[str]], FloatMatrix]) -> FloatMatrix:
    """Return the vectors of texts, shape (n, dims); `encode` gets each distinct text once.

    `dims` gives the shape where there are no texts.
    """
    if not texts:
        return np.empty((0, dims), dtype=np.float32)
    positions: dict[str, int] = {}
    rows = [positions.setdefault(replace_surrogates(text), len(positions)) for text in texts]
    vectors = encode(list(positions))
    return vectors if len(positions) == len(rows) else vectors[rows]


def unit_length(vectors: FloatMatrix) -> FloatMatrix:
    """Return the rows divided by their Euclidean norm; rows of zeros stay zeros."""
    norms = np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))
    # like the official model, which divides by at least 1e-12
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)
