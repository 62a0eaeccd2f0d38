"""The embedding of a message's text, by one of four backends behind one interface (`embedder`).

`factory` chooses the backend; a new one is entered there. `step` is not imported here: it needs scikit-learn, and runs
that find nothing new need only fingerprints.
"""

from __future__ import annotations

from batch_nlp.steps.embedding.embedder import Embedder
from batch_nlp.steps.embedding.factory import STEP_DEFAULTS, create_embedder, fingerprint

__all__ = ["STEP_DEFAULTS", "Embedder", "create_embedder", "fingerprint"]
