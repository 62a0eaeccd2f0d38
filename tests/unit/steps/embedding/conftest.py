"""Models that the tests of this folder share; loading and distilling takes seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from batch_nlp.steps.embedding.distill import distill, meaningful_tokens
from batch_nlp.steps.embedding.minilm import MiniLM, load_tokenizer
from batch_nlp.steps.embedding.static import StaticEmbedder
from batch_nlp.storage.packaged_model import packaged_folder


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """Return what people and programs write; the first one occurs twice."""
    return [
        "The tacos were great!",
        "Worst haircut ever, never again.",
        "",
        " \n\t",
        "ok",
        "The tacos were great!",
        "Überraschend gut: crème brûlée für 4 €",
        "とても美味しいです 👍🏽",
        "a lone \ud83d surrogate",
        "long " * 400,
        "[CLS] [SEP] [MASK] [UNK]",
        "\x00\x07 control \u200b",
    ]


@pytest.fixture(scope="session")
def minilm() -> MiniLM:
    return MiniLM()


@pytest.fixture(scope="session")
def static(minilm: MiniLM) -> StaticEmbedder:
    """Return an embedder that knows the first 3,000 tokens: characters and the most frequent words."""
    table = distill(minilm, 64, meaningful_tokens(minilm.tokenizer)[:3000])
    return StaticEmbedder(load_tokenizer(packaged_folder(), 256), table)


@pytest.fixture(scope="session")
def distilled_cache(embedding_cache: Path) -> Path:
    """Return a cache folder with the table of the whole vocabulary."""
    return embedding_cache
