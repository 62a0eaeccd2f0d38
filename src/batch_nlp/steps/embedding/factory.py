"""The embedder that the settings ask for, and what its vectors depend on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from batch_nlp.config import EmbeddingBackend, EmbeddingConfig
from batch_nlp.steps.embedding.embedder import Embedder, NoEmbedder
from batch_nlp.steps.embedding.minilm import MiniLM
from batch_nlp.steps.embedding.named_models import identity
from batch_nlp.steps.embedding.sentence_transformer import SentenceTransformerEmbedder
from batch_nlp.steps.embedding.static import load_distilled, load_pretrained, table_name
from batch_nlp.storage.packaged_model import WEIGHTS_SHA256


@dataclass(eq=False, repr=False)
class EmbeddingParameters:
    """Parameters of the step `embedding` that a pipeline may set or leave out; the step itself brings scikit-learn."""

    backend: str = "static"
    model: str | None = None
    dims: int = 256
    max_tokens: int = 256
    batch_size: int = 32
    device: str | None = None
    cache_mb: int = 0


def fingerprint(settings: EmbeddingConfig) -> str:
    """Return what identifies everything that the vectors depend on: backend, weights, number of tokens, recipe.

    Vectors with different fingerprints must not be mixed. No model is loaded; a folder that does not exist is
    refused.
    """
    backend, tokens = settings.backend, f"tokens{settings.max_tokens}"
    if backend is EmbeddingBackend.none:
        return "none"
    packaged = f"minilm-{WEIGHTS_SHA256[:16]}"
    if backend is EmbeddingBackend.minilm:
        return f"{packaged}-{tokens}"
    if backend is EmbeddingBackend.sentence_transformers:
        source = packaged if settings.model is None else identity(settings.model)
        return f"sentence_transformers-{source}-{tokens}"
    if settings.model is None:
        return f"{table_name(settings.dims)}-{tokens}"
    return f"static-{identity(settings.model)}-dims{settings.dims}-{tokens}"


def create_embedder(settings: EmbeddingConfig, cache_dir: Path, threads: int = 0) -> Embedder:
    """Load the model that the settings ask for; `cache_dir` is the folder of the distilled table.

    Raises
    ------
    SettingsError
        If the model cannot be loaded.
    DataError
        If the packaged weights are missing or damaged.
    """
    fingerprint(settings)  # refuses a folder that does not exist
    model, max_tokens = settings.model, settings.max_tokens
    if settings.backend is EmbeddingBackend.none:
        return NoEmbedder()
    if settings.backend is EmbeddingBackend.minilm:
        return MiniLM(max_tokens, threads)
    if settings.backend is EmbeddingBackend.sentence_transformers:
        return SentenceTransformerEmbedder(model, max_tokens, settings.batch_size, settings.device, threads)
    if model is None:
        return load_distilled(cache_dir, settings.dims, max_tokens, threads)
    return load_pretrained(model, settings.dims, max_tokens)
