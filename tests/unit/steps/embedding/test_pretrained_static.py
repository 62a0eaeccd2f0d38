from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from model2vec import StaticModel
from tests.naming import refusal
from tests.settings import default
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace

from batch_nlp.config import EmbeddingConfig
from batch_nlp.errors import SettingsError
from batch_nlp.steps.embedding.factory import create_embedder, fingerprint

TEXTS = ["good food", "Bad service and bad food", "unheard of", "", "good " * 50]


@pytest.fixture(params=["plain", "weighted"])
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Save a model2vec model; `weighted` is like one with a quantised vocabulary: shared vectors, and weights."""
    vocabulary = {"[UNK]": 0, "good": 1, "bad": 2, "food": 3, "service": 4, "and": 5}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = Lowercase(), Whitespace()
    rng = np.random.default_rng(3)
    if request.param == "plain":
        model = StaticModel(rng.normal(size=(6, 8)).astype(np.float16), tokenizer, normalize=True)
    else:
        model = StaticModel(
            rng.normal(size=(3, 8)).astype(np.float32),
            tokenizer,
            normalize=True,
            weights=rng.uniform(0.1, 1.0, 6).astype(np.float32),
            token_mapping=np.array([0, 1, 2, 1, 2, 0]),
        )
    model.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_a_model2vec_folder_gives_the_vectors_that_model2vec_gives(folder: Path, tmp_path: Path) -> None:
    embedder = create_embedder(default(EmbeddingConfig, model=str(folder), dims=8), tmp_path)
    expected = StaticModel.from_pretrained(folder).encode(TEXTS)
    # float16 tables are summed in float16 there and in float32 here
    np.testing.assert_allclose(embedder.encode(TEXTS), expected, atol=2e-3)
    assert embedder.dims == 8


def test_dims_cuts_longer_vectors(folder: Path, tmp_path: Path) -> None:
    embedder = create_embedder(default(EmbeddingConfig, model=str(folder), dims=4), tmp_path)
    vectors = embedder.encode(TEXTS)
    assert vectors.shape == (5, 4)
    assert np.linalg.norm(vectors[0]) == pytest.approx(1.0, abs=1e-6)


def test_max_tokens_cuts_texts(folder: Path, tmp_path: Path) -> None:
    embedder = create_embedder(default(EmbeddingConfig, model=str(folder), max_tokens=2), tmp_path)
    one, other = embedder.encode(["good food", "good food bad bad"])
    np.testing.assert_array_equal(one, other)


def test_the_fingerprint_follows_the_content_of_a_folder(folder: Path, tmp_path: Path) -> None:
    before = fingerprint(default(EmbeddingConfig, model=str(folder)))
    moved = folder.rename(tmp_path / "moved")
    assert fingerprint(default(EmbeddingConfig, model=str(moved))) == before
    (moved / "config.json").write_text("{}")
    assert fingerprint(default(EmbeddingConfig, model=str(moved))) != before


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with refusal(SettingsError, f"model={tmp_path}"):
        create_embedder(default(EmbeddingConfig, model=str(tmp_path)), tmp_path)


def test_a_model_that_cannot_be_fetched_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for model in ("nobody/no-such-model", "nobody/no-such-model@main"):
        with refusal(SettingsError, f"model={model}"):
            create_embedder(default(EmbeddingConfig, model=model), tmp_path)
