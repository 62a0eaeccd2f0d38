"""The embedder that the settings ask for."""

from __future__ import annotations

from pathlib import Path

from batch_nlp.config import EmbeddingBackend, EmbeddingConfig
from batch_nlp.steps.embedding.embedder import Embedder, NoEmbedder
from batch_nlp.steps.embedding.minilm import MiniLM, minilm_fingerprint
from batch_nlp.steps.embedding.sentence_transformer import (
    SentenceTransformerEmbedder,
    sentence_transformer_fingerprint,
)
from batch_nlp.steps.embedding.static import (
    distilled_fingerprint,
    load_distilled,
    load_pretrained,
    pretrained_fingerprint,
)

# Parameters of the step that its place in a pipeline leaves out; the step itself brings scikit-learn
STEP_DEFAULTS = {
    "backend": "static",
    "model": None,
    "dims": 256,
    "max_tokens": 256,
    "batch_size": 32,
    "device": None,
    "cache_mb": 0,
}


def fingerprint(settings: EmbeddingConfig) -> str:
    """Return the fingerprint of the embedder for these settings, without loading a model.

    Raises
    ------
    SettingsError
        If the settings name a folder that does not exist.
    """
    if settings.backend is EmbeddingBackend.none:
        return NoEmbedder.fingerprint
    if settings.backend is EmbeddingBackend.minilm:
        return minilm_fingerprint(settings.max_tokens)
    if settings.backend is EmbeddingBackend.sentence_transformers:
        return sentence_transformer_fingerprint(settings.model, settings.max_tokens)
    if settings.model is None:
        return distilled_fingerprint(settings.dims, settings.max_tokens)
    return pretrained_fingerprint(settings.model, settings.dims, settings.max_tokens)


def create_embedder(settings: EmbeddingConfig, cache_dir: Path, threads: int = 0) -> Embedder:
    """Load the model that the settings ask for.

    Parameters
    ----------
    cache_dir : Path
        Folder of the distilled table.
    threads : int
        Threads of the model; 0 uses all cores. (Tokenizers follow the environment variable RAYON_NUM_THREADS.)

    Raises
    ------
    SettingsError
        If the model cannot be loaded.
    DataError
        If the packaged weights are missing or damaged.
    """
    if settings.backend is EmbeddingBackend.none:
        return NoEmbedder()
    if settings.backend is EmbeddingBackend.minilm:
        return MiniLM(settings.max_tokens, threads)
    if settings.backend is EmbeddingBackend.sentence_transformers:
        return SentenceTransformerEmbedder(
            settings.model, settings.max_tokens, settings.batch_size, settings.device, threads
        )
    if settings.model is None:
        return load_distilled(cache_dir, settings.dims, settings.max_tokens, threads)
    return load_pretrained(settings.model, settings.dims, settings.max_tokens)
