from __future__ import annotations

from hashlib import sha256
from importlib import resources
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load
from tests.settings import default

from batch_nlp.config import SampleConfig
from batch_nlp.sample.yelp.reviews import history
from batch_nlp.steps import embedding
from batch_nlp.steps.embedding.minilm import CALIBRATION_FILE, MiniLM, load_tensors
from batch_nlp.steps.embedding.quantise import (
    FEWEST_TOKENS,
    FLOAT_COLUMNS,
    LEVELS,
    QUANTISED,
    RECIPE,
    Tensors,
    quantised_tensors,
)
from batch_nlp.storage.packaged_model import packaged_folder

INNER = "encoder.layer.0.intermediate.dense"


@pytest.fixture(scope="module")
def official() -> dict[str, NDArray[np.float32]]:
    return load_tensors(packaged_folder() / "model.safetensors")


@pytest.fixture(scope="module")
def calibration() -> dict[str, Any]:
    return load(resources.files(embedding).joinpath(CALIBRATION_FILE).read_bytes())


@pytest.fixture(scope="module")
def quantised(official: dict[str, NDArray[np.float32]], calibration: dict[str, Any]) -> Tensors:
    return quantised_tensors(official, calibration)


def test_a_changed_calibration_is_a_new_recipe(calibration: dict[str, Any]) -> None:
    """Vectors of another calibration are others; the recipe is in their fingerprint."""
    content = resources.files(embedding).joinpath(CALIBRATION_FILE).read_bytes()
    assert (RECIPE, sha256(content).hexdigest()[:16]) == (1, "a8c78314320bdafb")
    assert set(calibration) == {f"{name}.{kind}" for name in QUANTISED for kind in ("largest", "mean")}


def test_each_weight_is_within_half_a_step(official: dict[str, NDArray[np.float32]], quantised: Tensors) -> None:
    weight = official[f"{INNER}.weight"]
    int8, scale, smoothing = (quantised[f"{INNER}.{key}"] for key in ("int8", "scale", "smoothing"))
    columns = quantised[f"{INNER}.columns"]
    assert (int8.dtype, int8.shape, np.abs(int8).max()) == (np.int8, weight.T.shape, LEVELS)
    assert len(set(columns.tolist())) == FLOAT_COLUMNS
    np.testing.assert_array_equal(quantised[f"{INNER}.float32"], weight[:, columns].T)
    np.testing.assert_array_equal(np.flatnonzero(smoothing == 0), columns)
    kept = np.setdiff1d(np.arange(len(smoothing)), columns)
    smooth = weight.T[kept] / smoothing[kept, np.newaxis]
    assert (np.abs(int8[kept] * scale - smooth) <= scale * 0.5001).all()


def test_the_mean_input_gives_the_same_output_but_for_its_own_rounding(
    official: dict[str, NDArray[np.float32]], quantised: Tensors, calibration: dict[str, Any]
) -> None:
    mean, columns = calibration[f"{INNER}.mean"], quantised[f"{INNER}.columns"]
    expected = official[f"{INNER}.weight"] @ mean + official[f"{INNER}.bias"]
    most = (mean * quantised[f"{INNER}.smoothing"]) @ (quantised[f"{INNER}.int8"] * quantised[f"{INNER}.scale"])
    got = most + mean[columns] @ quantised[f"{INNER}.float32"] + quantised[f"{INNER}.bias"]
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_what_is_not_rounded_stays(official: dict[str, NDArray[np.float32]], quantised: Tensors) -> None:
    name = "encoder.layer.5.attention.self.query.weight"
    np.testing.assert_array_equal(quantised[name], official[name])
    assert "encoder.layer.0.attention.self.query.weight" not in quantised


def test_the_vectors_are_those_of_float32(minilm: MiniLM, minilm_int8: MiniLM, texts: list[str]) -> None:
    reviews = [str(row["text"]) for chunk in history(default(SampleConfig, messages=50, seed=7)) for row in chunk.rows]
    cosines = (minilm_int8.encode(reviews) * minilm.encode(reviews)).sum(axis=1)
    assert np.percentile(cosines, 1) >= 0.999
    assert (minilm_int8.encode(texts) * minilm.encode(texts)).sum(axis=1).min() >= 0.998
    assert not np.allclose(cosines, 1.0, atol=1e-5), "nothing was rounded"


def test_a_short_text_stays_in_float32(minilm: MiniLM, minilm_int8: MiniLM) -> None:
    short, enough = ([[101, *range(2000, 2000 + words), 102]] for words in (FEWEST_TOKENS - 3, FEWEST_TOKENS - 2))
    np.testing.assert_array_equal(minilm_int8.mean_of_tokens(short), minilm.mean_of_tokens(short))
    assert not np.array_equal(minilm_int8.mean_of_tokens(enough), minilm.mean_of_tokens(enough))


def test_the_committed_calibration_is_what_the_tool_measures(calibration: dict[str, Any]) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed: uv sync --group onnx")
    from tools.calibrate_minilm import calibrate, generated_texts

    measured = calibrate(generated_texts())
    assert measured.keys() == calibration.keys()
    for name, values in measured.items():
        np.testing.assert_allclose(values, calibration[name], rtol=1e-3, atol=1e-4, err_msg=name)
