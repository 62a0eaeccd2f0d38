from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loguru import logger
from tests.naming import assert_names
from tests.settings import default

from batch_nlp.config import EmbeddingConfig
from batch_nlp.errors import SettingsError
from batch_nlp.steps.embedding.distill import distill, meaningful_tokens, principal_components, sif_weights
from batch_nlp.steps.embedding.embedder import FloatMatrix, encode_unique
from batch_nlp.steps.embedding.factory import create_embedder
from batch_nlp.steps.embedding.minilm import MiniLM, load_tokenizer
from batch_nlp.steps.embedding.static import StaticEmbedder, cached_table, load_distilled, take_tables
from batch_nlp.storage.packaged_model import packaged_folder

WORDS = st.sampled_from(["good", "bad", "not", "the", "crème", "tacos", "😀", "!!", "1,234", "unbelievablest"])
ANY_TEXT = st.text(max_size=80) | st.lists(WORDS, max_size=400).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=12), data=st.data())
def test_the_vector_is_the_same_in_every_bit_alone_in_any_batch_and_any_order(
    static: StaticEmbedder, texts: list[str], data: st.DataObject
) -> None:
    together = static.encode(texts)
    alone = np.concatenate([static.encode([text]) for text in texts])
    np.testing.assert_array_equal(alone, together)
    order = data.draw(st.permutations(range(len(texts))))
    np.testing.assert_array_equal(static.encode([texts[row] for row in order]), together[order])


def test_the_vector_is_the_same_in_every_bit_across_chunks(static: StaticEmbedder) -> None:
    texts = [f"number {number} of the good and the bad " * (number % 7) for number in range(2500)]
    vectors = static.encode(texts)
    for row in range(0, 2500, 97):
        np.testing.assert_array_equal(static.encode([texts[row]])[0], vectors[row])


def test_any_text_gets_a_finite_float32_row_of_unit_length_or_zeros(static: StaticEmbedder, texts: list[str]) -> None:
    vectors = static.encode(texts)
    assert vectors.shape == (len(texts), 64)
    assert vectors.dtype == np.float32
    lengths = np.linalg.norm(vectors, axis=1)
    assert np.all(np.isclose(lengths, 1.0, atol=1e-6) | (lengths == 0.0))
    assert lengths[texts.index("")] == lengths[texts.index("[CLS] [SEP] [MASK] [UNK]")] == 0.0


def test_no_text_gives_no_row(static: StaticEmbedder) -> None:
    assert static.encode([]).shape == (0, 64)


def test_a_vector_is_the_normalised_mean_of_its_tokens(minilm: MiniLM) -> None:
    table = np.zeros((minilm.tokenizer.get_vocab_size(), 2), dtype=np.float32)
    good, bad = (minilm.tokenizer.token_to_id(token) for token in ("good", "bad"))
    table[good], table[bad] = (3.0, 0.0), (0.0, 4.0)
    embedder = StaticEmbedder(load_tokenizer(packaged_folder(), 4), table)
    np.testing.assert_allclose(
        embedder.encode(["good", "Good bad", "other", "bad good bad bad good good"]),
        [[1.0, 0.0], [0.6, 0.8], [0.0, 0.0], [3 / np.hypot(3, 12), 12 / np.hypot(3, 12)]],
        atol=1e-6,
    )


def test_each_different_text_is_encoded_once_and_rows_keep_their_order() -> None:
    seen: list[str] = []

    def encode(texts: list[str]) -> FloatMatrix:
        seen.extend(texts)
        return np.array([[len(text)] for text in texts], dtype=np.float32)

    vectors = encode_unique(["bb", "a", "bb", "ccc", "a"], 1, encode)
    assert seen == ["bb", "a", "ccc"]
    assert vectors[:, 0].tolist() == [2, 1, 2, 3, 1]


def test_distilling_gives_rows_to_the_tokens_asked_for_alone(minilm: MiniLM) -> None:
    ids: Sequence[int] = meaningful_tokens(minilm.tokenizer)[1500:1600]
    table = distill(minilm, 16, ids)
    assert table.shape == (30522, 16)
    assert np.flatnonzero(table.any(axis=1)).tolist() == list(ids)
    np.testing.assert_array_equal(distill(minilm, 16, ids), table)


def test_tokens_without_a_meaning_are_left_out(minilm: MiniLM) -> None:
    tokens = {minilm.tokenizer.id_to_token(index) for index in meaningful_tokens(minilm.tokenizer)}
    assert tokens.isdisjoint({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused42]"})
    assert {"[", "]", "good", "##ing"} <= tokens


def test_principal_components_keep_the_distances(minilm: MiniLM) -> None:
    vectors = np.random.default_rng(1).normal(size=(50, 8)).astype(np.float32) * np.arange(8, 0, -1, dtype=np.float32)
    components = principal_components(vectors, 8)
    np.testing.assert_allclose(
        np.linalg.norm(components[0] - components[1]), np.linalg.norm(vectors[0] - vectors[1]), rtol=1e-5
    )
    variances = components.var(axis=0)
    assert (np.diff(variances) < 0).all()
    # a little noise, as of another processor's rounding, neither turns nor flips an axis
    noisy = vectors * (1 + np.random.default_rng(2).normal(size=vectors.shape) * 1e-7).astype(np.float32)
    np.testing.assert_allclose(principal_components(noisy, 8), components, atol=1e-3)


def test_frequent_tokens_weigh_less() -> None:
    weights = sif_weights(1000)
    assert (np.diff(weights) > 0).all()
    assert 0 < weights[0] < weights[-1] < 1


@pytest.mark.parametrize("position", [4, 100, -1])
def test_a_damaged_cache_is_made_again_with_a_warning(tmp_path: Path, position: int) -> None:
    path = tmp_path / "cache" / "table.safetensors"
    table = np.arange(12, dtype=np.float32).reshape(4, 3)
    cached_table(path, lambda: table)
    np.testing.assert_array_equal(cached_table(path, lambda: pytest.fail("not from the cache")), table)

    content = bytearray(path.read_bytes())
    content[position] ^= 0x10
    path.write_bytes(content)
    warnings: list[str] = []
    sink = logger.add(warnings.append, level="WARNING", format="{message}")
    try:
        np.testing.assert_array_equal(cached_table(path, lambda: table), table)
    finally:
        logger.remove(sink)
    assert_names(warnings[0], "table.safetensors")
    np.testing.assert_array_equal(cached_table(path, lambda: pytest.fail("not repaired")), table)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("content", [b"", b"not a table", b"\xff" * 64])
def test_a_file_that_is_no_table_is_made_again(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table.safetensors"
    path.write_bytes(content)
    table = np.ones((2, 2), dtype=np.float32)
    np.testing.assert_array_equal(cached_table(path, lambda: table), table)


@pytest.mark.parametrize("dims", [0, 385])
def test_a_length_that_no_table_has_is_refused(tmp_path: Path, dims: int) -> None:
    with pytest.raises(SettingsError, match="dims"):
        load_distilled(tmp_path, dims, 256)


def test_the_default_embedder_knows_which_texts_are_alike(distilled_cache: Path) -> None:
    embedder = create_embedder(default(EmbeddingConfig), distilled_cache)
    assert embedder.dims == 256
    pizza, pasta, car = embedder.encode(
        ["The pizza was delicious.", "Tasty pasta and a good dessert", "They repaired my car's engine"]
    )
    assert pizza @ pasta > pizza @ car + 0.2


def test_tables_that_are_missing_are_copied_and_nothing_else(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    take_tables(theirs, ours)
    assert not ours.exists()
    theirs.mkdir()
    for name in ("static-a.safetensors", "static-b.safetensors", ".static-c.safetensors", "vectors-a.sqlite"):
        (theirs / name).write_text("theirs")
    ours.mkdir()
    (ours / "static-b.safetensors").write_text("ours")
    take_tables(theirs, ours)
    assert {path.name: path.read_text() for path in ours.iterdir()} == {
        "static-a.safetensors": "theirs",
        "static-b.safetensors": "ours",
    }


def test_a_table_that_must_not_be_read_is_made_as_if_it_were_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError("no")

    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "static-a.safetensors").touch()
    monkeypatch.setattr("shutil.copyfile", refused)
    take_tables(tmp_path / "theirs", tmp_path / "ours")
    assert [*(tmp_path / "ours").iterdir()] == []
