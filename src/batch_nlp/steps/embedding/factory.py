"""From the settings to an embedder."""

from __future__ import annotations

from pathlib import Path

from batch_nlp.config import EmbeddingBackend, EmbeddingConfig
from batch_nlp.steps.embedding.base import Embedder, NoEmbedder
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
# whether in 8 bits
_MINILM = {EmbeddingBackend.minilm: False, EmbeddingBackend.minilm_int8: True}


def fingerprint(settings: EmbeddingConfig) -> str:
    """Return what the vectors depend on, without loading a model.

    It is the `fingerprint` of the embedder that `create_embedder` returns for these settings.

    Raises
    ------
    SettingsError
        If the settings name a folder that does not exist.
    """
    if settings.backend is EmbeddingBackend.none:
        return NoEmbedder.fingerprint
    if settings.backend in _MINILM:
        return minilm_fingerprint(settings.max_tokens, _MINILM[settings.backend])
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
        Where the distilled table is kept.
    threads : int
        Threads of the model; 0 takes all cores. (Tokenizers follow the environment variable RAYON_NUM_THREADS.)

    Raises
    ------
    SettingsError
        If the settings cannot be satisfied.
    DataError
        If the packaged weights are missing or damaged.
    """
    if settings.backend is EmbeddingBackend.none:
        return NoEmbedder()
    if settings.backend in _MINILM:
        return MiniLM(settings.max_tokens, threads, _MINILM[settings.backend])
    if settings.backend is EmbeddingBackend.sentence_transformers:
        return SentenceTransformerEmbedder(
            settings.model, settings.max_tokens, settings.batch_size, settings.device, threads
        )
    if settings.model is None:
        return load_distilled(cache_dir, settings.dims, settings.max_tokens, threads)
    return load_pretrained(settings.model, settings.dims, settings.max_tokens)
