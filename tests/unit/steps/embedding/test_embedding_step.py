from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from tests.naming import refusal

from batch_nlp.errors import DataError, SettingsError
from batch_nlp.steps.embedding.step import Embedding

FRAME = pd.DataFrame({"text": ["Great tacos!", "Never again.", "Great tacos!"], "words": [2, 2, 2]}, index=[7, 3, 9])


@pytest.fixture(scope="module")
def step() -> Embedding:
    return Embedding(backend="minilm")


def test_a_column_of_vectors_is_added(step: Embedding) -> None:
    before = FRAME.copy(deep=True)
    embedded = step.fit_transform(FRAME)
    pd.testing.assert_frame_equal(FRAME, before)
    pd.testing.assert_frame_equal(embedded[["text", "words"]], before)
    assert list(embedded.columns) == ["text", "words", "embedding"]
    assert embedded["embedding"].map(len).tolist() == [384] * 3
    np.testing.assert_array_equal(embedded["embedding"][7], embedded["embedding"][9])


def test_the_column_goes_to_parquet_as_lists_of_float(step: Embedding, tmp_path: Path) -> None:
    for frame in (FRAME, FRAME.iloc[:0]):
        vectors = step.transform(frame)["embedding"]
        table = pa.table({"embedding": pa.array(vectors.to_list(), pa.list_(pa.float32()))})
        pq.write_table(table, tmp_path / "table.parquet")
        back = pq.read_table(tmp_path / "table.parquet")["embedding"].to_pylist()
        np.testing.assert_array_equal(back, [vector.tolist() for vector in vectors])


def test_an_empty_frame_gets_an_empty_column_and_loads_no_model(tmp_path: Path) -> None:
    embedded = Embedding(cache_dir=tmp_path).transform(FRAME.iloc[:0])
    assert list(embedded.columns) == ["text", "words", "embedding"]
    assert len(embedded) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_clone_computes_the_same(step: Embedding) -> None:
    other = clone(step)
    assert other.get_params() == step.get_params()
    np.testing.assert_array_equal(other.transform(FRAME)["embedding"][3], step.transform(FRAME)["embedding"][3])


def test_a_changed_parameter_is_obeyed() -> None:
    step = Embedding(backend="minilm")
    long = pd.DataFrame({"text": ["one two three four five"]})
    before = step.transform(long)["embedding"][0]
    step.set_params(max_tokens=4)
    assert not np.allclose(step.transform(long)["embedding"][0], before)


def test_it_is_stateless_within_a_pipeline(step: Embedding) -> None:
    check_is_fitted(step)
    assert Pipeline([("embedding", step)]).fit(FRAME).transform(FRAME).shape == (3, 3)


def test_a_mistyped_backend_gets_a_hint() -> None:
    with pytest.raises(SettingsError, match="'static'"):
        Embedding(backend="statik").transform(FRAME)


def test_what_is_no_text_is_refused_with_its_rows(step: Embedding) -> None:
    with refusal(DataError, "'text'"):
        step.transform(FRAME[["words"]])
    with refusal(DataError, 2, "1, 2"):
        step.transform(pd.DataFrame({"text": ["fine", None, float("nan")]}, dtype=object))
