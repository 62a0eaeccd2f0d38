"""No vectors, for those who do not need them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from batch_nlp.steps.embedding.base import FloatMatrix


class NoEmbedder:
    """Gives every text a vector without entries."""

    dims = 0
    fingerprint = "none"

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Return an array of shape (n, 0)."""
        return np.empty((len(texts), 0), dtype=np.float32)
