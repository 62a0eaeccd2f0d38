"""The real sentence-transformers, where it is installed.

``uv sync --extra sentence-transformers`` (GPU), or
``uv pip install sentence-transformers torch --torch-backend=cpu`` (CPU).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.naming import refusal

pytest.importorskip(
    "sentence_transformers",
    reason="needs sentence-transformers: uv sync --extra sentence-transformers (GPU), or "
    "uv pip install sentence-transformers torch --torch-backend=cpu",
)

from sentence_transformers import SentenceTransformer
from tests.settings import default

from batch_nlp.config import EmbeddingBackend, EmbeddingConfig
from batch_nlp.errors import SettingsError
from batch_nlp.steps.embedding.factory import create_embedder

REVIEW = "the food was good but we waited an hour for our table and nobody said sorry 5 stars never again"
WORDS = REVIEW.split()


def varied_texts() -> list[str]:
    """Return 50 texts of 0 to 700 words, in several scripts."""
    rng = np.random.default_rng(5)
    lengths = [*range(24), 50, 100, 150, 200, 250, 254, 255, 256, 257, 300, 400, 700]
    texts = [" ".join(rng.choice(WORDS, length)) for length in lengths]
    return [
        *texts,
        "Überraschend gut: crème brûlée für 4 €",
        "とても美味しいです 👍🏽",
        "Очень вкусно!!!",
        "مطعم رائع",
        "a\u0300\u0301 combining",
        "\x00 control \u200b zero width",
        "[CLS] [SEP] [MASK]",
        "https://example.org/?q=1&b=2 me@example.org",
        "supercalifragilisticexpialidocious" * 8,
        "WHY?!?! SO... $$$ -- (bad) #1 'quoted' \"twice\"",
        " leading and trailing \n\n\t ",
        "\n",
        "12,345.67 % 3/4 1st 2nd",
        "ok",
    ]


def test_the_onnx_backend_gives_the_same_vectors(tmp_path: Path) -> None:
    texts = varied_texts()
    assert len(texts) == 50
    official = create_embedder(
        default(EmbeddingConfig, backend=EmbeddingBackend.sentence_transformers, device="cpu"), tmp_path
    )
    ours = create_embedder(default(EmbeddingConfig, backend=EmbeddingBackend.minilm), tmp_path)
    assert official.dims == ours.dims
    np.testing.assert_allclose(ours.encode(texts), official.encode(texts), atol=1e-5)


def test_the_onnx_backend_is_quicker_than_the_usual_call() -> None:
    """By how much depends on the machine and what else it does: docs/performance.md has figures."""
    from benchmarks.embeddings import compare

    texts = [" ".join(np.random.default_rng(seed).choice(WORDS, 110)) for seed in range(40)]
    found = {row["backend"]: row for row in compare(texts, rounds=3)}
    assert found["minilm"]["speed_up"] > 1
    assert found["minilm"]["cosine_p1"] > 0.99999


@pytest.fixture
def tiny_model(tmp_path: Path) -> Path:
    """Build a BERT with random weights, 16 dimensions and 32 positions, and save it as sentence-transformers does."""
    from sentence_transformers import models
    from transformers import BertConfig, BertModel, BertTokenizerFast

    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set(WORDS))]))
    bert = tmp_path / "bert"
    BertTokenizerFast(vocab=str(vocabulary), model_max_length=32).save_pretrained(bert)
    config = BertConfig(
        vocab_size=5 + len(set(WORDS)),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
    )
    BertModel(config).save_pretrained(bert)
    transformer = models.Transformer(str(bert), max_seq_length=32)
    pooling = models.Pooling(16, pooling_mode="mean")
    folder = tmp_path / "tiny"
    SentenceTransformer(modules=[transformer, pooling], device="cpu").save(str(folder))
    return folder


def test_a_local_model_is_loaded_by_its_path(tiny_model: Path, tmp_path: Path) -> None:
    settings = default(
        EmbeddingConfig, backend=EmbeddingBackend.sentence_transformers, model=str(tiny_model), device="cpu"
    )
    embedder = create_embedder(settings, tmp_path, threads=1)
    texts = ["the food was good", "", "a lone \ud800 surrogate", "never again " * 100, "the food was good"]
    vectors = embedder.encode(texts)
    assert (vectors.shape, vectors.dtype) == ((5, 16), np.float32)
    assert embedder.dims == 16
    assert embedder.encode([]).shape == (0, 16)
    assert np.isfinite(vectors).all()
    np.testing.assert_array_equal(vectors[0], vectors[4])
    direct = SentenceTransformer(str(tiny_model), device="cpu").encode(texts[:1])
    np.testing.assert_allclose(vectors[:1], direct, atol=1e-5)


def test_max_tokens_cuts_texts(tiny_model: Path, tmp_path: Path) -> None:
    settings = default(
        EmbeddingConfig,
        backend=EmbeddingBackend.sentence_transformers,
        model=str(tiny_model),
        device="cpu",
        max_tokens=5,
    )
    vectors = create_embedder(settings, tmp_path).encode(["the food was", "the food was bad but good"])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)


def test_a_model_that_cannot_be_fetched_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    settings = default(
        EmbeddingConfig, backend=EmbeddingBackend.sentence_transformers, model="nobody/no-such-model", device="cpu"
    )
    with refusal(SettingsError, "nobody/no-such-model"):
        create_embedder(settings, tmp_path)
