"""A message's text as a vector, by one of three backends behind one interface."""

from __future__ import annotations

from batch_nlp.feature.embedding.base import Embedder
from batch_nlp.feature.embedding.factory import create_embedder, fingerprint
from batch_nlp.feature.embedding.step import Embedding

__all__ = ["Embedder", "Embedding", "create_embedder", "fingerprint"]
