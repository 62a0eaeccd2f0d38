"""A message's text as a vector, by one of four backends behind one interface.

The step of the pipeline is not among them: it brings scikit-learn, and a run that finds nothing new needs fingerprints.
"""

from __future__ import annotations

from batch_nlp.steps.embedding.base import Embedder
from batch_nlp.steps.embedding.factory import STEP_DEFAULTS, create_embedder, fingerprint

__all__ = ["STEP_DEFAULTS", "Embedder", "create_embedder", "fingerprint"]
