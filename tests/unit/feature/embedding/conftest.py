"""Models that the tests of this folder share; loading and distilling takes seconds."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from batch_nlp.config import EmbeddingConfig
from batch_nlp.feature.embedding import create_embedder
from batch_nlp.feature.embedding.distill import distill, meaningful_tokens
from batch_nlp.feature.embedding.minilm import MiniLM
from batch_nlp.feature.embedding.static import StaticEmbedder
from batch_nlp.feature.embedding.weights import load_tokenizer, packaged_folder


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
    return StaticEmbedder(load_tokenizer(packaged_folder(), 256), table, "test")


@pytest.fixture(scope="session")
def distilled_cache(request: pytest.FixtureRequest) -> Path:
    """Return a cache folder that outlives the run, since distilling the whole vocabulary takes 20 s or more.

    The lock makes the other workers of a parallel run wait for the first one's table.
    """
    folder = Path(request.config.rootpath) / ".cache" / "embedding"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        create_embedder(EmbeddingConfig(), folder)
    return folder
