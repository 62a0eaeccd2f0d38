"""Any sentence-transformers model; needs the extra of that name, which includes torch."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from loguru import logger

from batch_nlp.errors import SettingsError
from batch_nlp.steps.embedding.embedder import FloatMatrix, encode_unique
from batch_nlp.steps.embedding.named_models import loading, split_revision
from batch_nlp.storage.packaged_model import packaged_folder


class SentenceTransformerEmbedder:
    """Encodes with a sentence-transformers model.

    Parameters
    ----------
    model : str or None
        A local folder, or ``name`` or ``name@revision`` on the hub; None is the packaged all-MiniLM-L6-v2.
    max_tokens : int
        Most tokens to read of a text, up to the model's own limit.
    device : str or None
        Device of torch, such as ``cpu`` or ``cuda``; None uses the best available one.
    threads : int
        Threads of torch on a CPU; 0 leaves the number to torch.
    """

    def __init__(
        self,
        model: str | None,
        max_tokens: int = 256,
        batch_size: int = 32,
        device: str | None = None,
        threads: int = 0,
    ) -> None:
        self._model = _load(str(packaged_folder()) if model is None else model, device)
        if threads:
            import torch

            torch.set_num_threads(threads)
        limit = self._model.max_seq_length
        if limit is not None and limit < max_tokens:
            logger.warning("{} reads {} tokens; max_tokens={} has no effect", model, limit, max_tokens)
        else:
            self._model.max_seq_length = max_tokens
        self._batch_size = batch_size
        # measured, because the method that returns it was renamed between versions
        self.dims = self._encode([""]).shape[1]

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Return the model's vectors, shape (n, dims)."""
        return encode_unique(texts, self.dims, self._encode)

    def _encode(self, texts: list[str]) -> FloatMatrix:
        vectors = self._model.encode(texts, batch_size=self._batch_size, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)


def _load(model: str, device: str | None) -> Any:
    try:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging
    except ImportError as error:
        raise SettingsError(
            f"features.embedding.backend=sentence_transformers: the extra is not installed ({error}). Install it: "
            "`uv sync --extra sentence-transformers` for a GPU; for a CPU "
            "`uv pip install sentence-transformers torch --torch-backend=cpu`."
        ) from error
    if not sys.stderr.isatty():
        transformers_logging.disable_progress_bar()
    name, revision = split_revision(model)
    with loading(model):
        # a model must not bring code: neither Python files nor pickled weights
        return SentenceTransformer(
            name,
            revision=revision,
            device=device,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
