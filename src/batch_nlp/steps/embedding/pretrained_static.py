"""Static vectors of a model2vec model that the user names."""

from __future__ import annotations

import numpy as np
from loguru import logger
from numpy.typing import NDArray

from batch_nlp.steps.embedding.sources import identity, loading, split_revision
from batch_nlp.steps.embedding.static import StaticEmbedder


def pretrained_fingerprint(model: str, dims: int, max_tokens: int) -> str:
    """Return what the vectors of `load_pretrained` depend on."""
    return f"static-{identity(model)}-dims{dims}-tokens{max_tokens}"


def load_pretrained(model: str, dims: int, max_tokens: int) -> StaticEmbedder:
    """Load a static model by model2vec, and encode with it as with the packaged one.

    Parameters
    ----------
    model : str
        A local folder, or ``name`` or ``name@revision`` on the hub.
    dims : int
        Length of a vector; a model with more is cut, as model2vec does (its dimensions are ordered by importance).
    max_tokens : int
        Tokens of a text that are read.

    Raises
    ------
    SettingsError
        If the model cannot be loaded.
    """
    from huggingface_hub import snapshot_download
    from model2vec import StaticModel

    fingerprint = pretrained_fingerprint(model, dims, max_tokens)
    with loading(model):
        name, revision = split_revision(model)
        source = snapshot_download(name, revision=revision) if revision else name
        static = StaticModel.from_pretrained(source, force_download=False)
    tokens = static.tokenizer.get_vocab_size()
    rows = np.arange(tokens) if static.token_mapping is None else static.token_mapping
    table: NDArray[np.float32] = static.embedding[rows].astype(np.float32)
    if static.weights is not None:
        table *= static.weights.astype(np.float32)[:, np.newaxis]
    if static.unk_token_id is not None:
        table[static.unk_token_id] = 0.0
    if table.shape[1] < dims:
        logger.warning("{} has {} dimensions; dims={} has no effect", model, table.shape[1], dims)
    static.tokenizer.no_padding()
    static.tokenizer.enable_truncation(max_tokens)
    return StaticEmbedder(static.tokenizer, np.ascontiguousarray(table[:, :dims]), fingerprint)
