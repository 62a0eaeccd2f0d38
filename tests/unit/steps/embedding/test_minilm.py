from __future__ import annotations

import numpy as np
import pytest

from batch_nlp.errors import SettingsError
from batch_nlp.steps.embedding.minilm import MiniLM


def test_vectors_have_unit_length_and_rank_a_paraphrase_above_another_topic(minilm: MiniLM) -> None:
    food, paraphrase, market = minilm.encode(
        ["A man is eating food.", "A man eats something.", "The stock market fell today."]
    )
    assert np.linalg.norm([food, paraphrase, market], axis=1) == pytest.approx(1.0, abs=1e-6)
    # the first pair's cosine is 0.87 with sentence-transformers too
    assert food @ paraphrase == pytest.approx(0.875, abs=0.005)
    assert abs(food @ market) < 0.1


def test_the_vector_does_not_depend_on_the_batch_nor_on_the_threads(minilm: MiniLM, texts: list[str]) -> None:
    together = minilm.encode(texts)
    alone = np.concatenate([minilm.encode([text]) for text in texts])
    backwards = minilm.encode(texts[::-1])[::-1]
    three_threads = MiniLM(threads=3).encode(texts)
    for other in (alone, backwards, three_threads):
        np.testing.assert_array_equal(other, together)


def test_any_text_gets_a_finite_float32_row_of_unit_length(minilm: MiniLM, texts: list[str]) -> None:
    vectors = minilm.encode(texts)
    assert vectors.shape == (len(texts), minilm.dims)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)


def test_an_empty_text_is_the_two_tokens_that_the_model_adds(minilm: MiniLM) -> None:
    mean = minilm.mean_of_tokens([[101, 102]])[0]
    np.testing.assert_allclose(minilm.encode([""])[0], mean / np.linalg.norm(mean), atol=1e-6)


def test_no_text_gives_no_row(minilm: MiniLM) -> None:
    assert minilm.encode([]).shape == (0, 384)


def test_texts_of_one_length_share_a_pass(minilm: MiniLM) -> None:
    texts = [[101, token, 102] for token in (2307, 2919, 2000)]
    alone = np.concatenate([minilm.mean_of_tokens([text]) for text in texts])
    np.testing.assert_allclose(minilm.mean_of_tokens(texts), alone, atol=1e-5)


def test_what_lies_beyond_max_tokens_is_not_read(minilm: MiniLM) -> None:
    model = MiniLM(max_tokens=6)
    one, other = model.encode(["one two three four five six", "one two three four seven"])
    np.testing.assert_array_equal(one, other)
    assert not np.allclose(*minilm.encode(["one two three four five six", "one two three four seven"]))


@pytest.mark.parametrize("max_tokens", [2, 513])
def test_a_number_of_tokens_that_the_model_cannot_read_is_refused(max_tokens: int) -> None:
    with pytest.raises(SettingsError, match="max_tokens"):
        MiniLM(max_tokens=max_tokens)
