from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from tests.fields import FIELDS
from tests.settings import default

from batch_nlp.config import Config, Encoding, Input, ReducerConfig, TrainingConfig
from batch_nlp.fields import Field, FieldRole, Fields
from batch_nlp.training.encoding import EmbeddingColumns, dimensionality_reducer, imputer, scaler
from batch_nlp.training.encoding import encoding as encoding_step
from batch_nlp.training.pipeline import build_training_pipeline


def rows(messages: pd.DataFrame) -> pd.DataFrame:
    return messages[FIELDS.names]


def test_missing_numbers_become_the_median_of_the_training_rows_and_are_marked(messages: pd.DataFrame) -> None:
    train = rows(messages)[:100].copy()
    train["tenure_days"] = [np.nan, *range(1, 100)]
    step = imputer(FIELDS).fit(train)
    new = rows(messages)[100:103].assign(tenure_days=[7.0, np.nan, np.nan])
    out = step.transform(new)
    assert out["tenure_days"].tolist() == [7.0, 50.0, 50.0]
    assert out["tenure_days=missing"].tolist() == [0.0, 1.0, 1.0]
    assert out.index.tolist() == new.index.tolist()


def test_a_message_without_a_business_has_a_category_of_its_own(messages: pd.DataFrame) -> None:
    train = rows(messages)[:100]
    out = imputer(FIELDS).fit(train).transform(train.assign(category_group=pd.Series(None, train.index, "str")))
    assert set(out["category_group"]) == {"missing"}


def test_a_number_that_no_training_row_has_is_no_obstacle(messages: pd.DataFrame) -> None:
    train = rows(messages)[:100].assign(elite_years=np.nan)
    out = imputer(FIELDS).fit(train).transform(train)
    assert out["elite_years"].tolist() == [0.0] * 100


def kinds(columns: list[str]) -> set[Input]:
    """Return the inputs that columns come from."""
    return {
        Input.ngrams
        if name.startswith(("ngram_score_", "sentence_"))
        else (Input.embedding if name.startswith("embedding=") else Input.tabular)
        for name in columns
    }


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize(
    "inputs", [[Input.tabular], [Input.embedding], [Input.ngrams], [Input.embedding, Input.tabular], list(Input)]
)
def test_encoded_rows_are_numbers_of_the_inputs_asked_for_under_unique_names(
    messages: pd.DataFrame, labels: pd.Series[int], encoding: Encoding, inputs: list[Input]
) -> None:
    train = imputer(FIELDS).fit_transform(rows(messages))
    step = encoding_step(default(TrainingConfig, encoding=encoding), FIELDS, inputs, 1)
    out = step.fit_transform(train, labels.to_numpy())
    assert out.columns.is_unique
    assert all(pd.api.types.is_numeric_dtype(dtype) for dtype in out.dtypes)
    assert np.isfinite(out.to_numpy(float)).all()
    assert kinds(out.columns.tolist()) == set(inputs)
    assert set(FIELDS.numbers).issubset(out.columns) is (Input.tabular in inputs)
    assert sum(name.startswith("embedding=") for name in out.columns) == (256 if Input.embedding in inputs else 0)
    assert step.get_feature_names_out().tolist() == out.columns.tolist()


def test_a_classifier_that_reads_texts_is_given_them_beside_the_scaled_numbers(
    messages: pd.DataFrame, labels: pd.Series[int]
) -> None:
    train = imputer(FIELDS).fit_transform(rows(messages))
    step = encoding_step(default(TrainingConfig), FIELDS, [Input.tabular], 1, keep_text=True)
    out = scaler(keep_text=True).fit_transform(step.fit_transform(train, labels.to_numpy()))
    assert out["text"].tolist() == messages["text"].tolist()
    numbers = out.drop(columns="text").astype(float)
    np.testing.assert_allclose(numbers.mean(), 0, atol=1e-9)
    assert set(FIELDS.numbers) <= set(numbers.columns)
    texts = encoding_step(default(TrainingConfig), FIELDS, [], 1, keep_text=True)
    alone = texts.fit_transform(train, labels.to_numpy())
    assert scaler(keep_text=True).fit_transform(alone).columns.tolist() == ["text"]


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize("classes", [2, 3])
def test_categories_that_training_never_saw_are_encoded(
    messages: pd.DataFrame, labels: pd.Series[int], encoding: Encoding, classes: int
) -> None:
    train = imputer(FIELDS).fit_transform(rows(messages))
    settings = default(TrainingConfig, encoding=encoding)
    step = encoding_step(settings, FIELDS, [Input.tabular], 1).fit(train, np.minimum(labels.to_numpy(), classes - 1))
    out = step.transform(train[:3].assign(category_group="casino"))
    assert np.isfinite(out.to_numpy(float)).all()
    assert out.iloc[0].filter(like="category_group").tolist() == out.iloc[1].filter(like="category_group").tolist()


def test_rare_categories_share_a_column(messages: pd.DataFrame, labels: pd.Series[int]) -> None:
    train = imputer(FIELDS).fit_transform(rows(messages))
    train["category_group"] = ["a"] * (len(train) - 3) + ["b", "c", "d"]
    settings = default(TrainingConfig, min_category_share=0.01)
    out = encoding_step(settings, FIELDS, [Input.tabular], 1).fit_transform(train, labels.to_numpy())
    found = [name for name in out.columns if name.startswith("category_group")]
    assert found == ["category_group=a", "category_group"]
    assert out[found[1]].sum() == 3


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize("classes", [2, 3])
def test_no_two_columns_share_a_name_whatever_fields_and_values_are_called(encoding: Encoding, classes: int) -> None:
    numbers = ["price", "missingindicator_price", "word_count", "product_0", "meaning_000"]
    categories = ["product", "product_type", "word"]
    fields = Fields(
        [
            *(Field(name, FieldRole.NUMBER) for name in numbers),
            *(Field(name, FieldRole.CATEGORY) for name in categories),
            Field("text", FieldRole.TEXT),
            Field("meaning", FieldRole.VECTOR),
        ]
    )
    n = 60
    frame = pd.DataFrame({name: [np.nan, *range(1, n)] for name in numbers})
    # of 60 values, one alone is rare: it shares a column with nothing but is named like a value of the others
    frame["product"] = ["type_x", "infrequent_sklearn", "a=b"] * 19 + ["type_x", "infrequent_sklearn", "rare"]
    frame["product_type"] = ["x", "=b", "missing"] * 20
    frame["word"] = ["count", "y"] * 30
    frame["text"], frame["meaning"] = "a", [np.arange(2.0)] * n
    settings = default(TrainingConfig, encoding=encoding, min_category_share=0.02)
    step = encoding_step(settings, fields, [Input.tabular, Input.embedding], 1)
    out = step.fit_transform(imputer(fields).fit_transform(frame), np.arange(n) % classes)
    assert out.columns.is_unique
    assert out["price=missing"].tolist() == [1.0] + [0.0] * (n - 1)
    if encoding is Encoding.one_hot:
        assert out.columns[5:].tolist() == [
            *(f"{name}=missing" for name in numbers),
            *("product=a=b", "product=infrequent_sklearn", "product=type_x", "product"),
            *("product_type==b", "product_type=missing", "product_type=x", "word=count", "word=y"),
            *("meaning=000", "meaning=001"),
        ]
        assert out["product=type_x"].tolist() == (frame["product"] == "type_x").astype(float).tolist()
        assert out["product"].tolist() == [0.0] * (n - 1) + [1.0]
    else:
        names = [f"word={label}" for label in range(3)] if classes == 3 else ["word"]
        assert [name for name in out.columns if name.startswith("word") and name not in numbers] == [
            *(["word_count=missing"]),
            *names,
        ]


def test_fields_are_told_by_their_role_and_vectors_by_the_fields_that_hold_them() -> None:
    """No number, no category, two vectors: any list of fields is encoded."""
    fields = Fields([Field("text", FieldRole.TEXT), Field("near", FieldRole.VECTOR), Field("far", FieldRole.VECTOR)])
    frame = pd.DataFrame({"text": ["a", "b"], "near": [np.ones(2), np.zeros(2)], "far": [np.ones(3), np.zeros(3)]})
    step = encoding_step(default(TrainingConfig), fields, [Input.tabular, Input.embedding], 1)
    out = step.fit_transform(imputer(fields).fit_transform(frame), np.array([0, 1]))
    assert out.shape == (2, 5)
    assert out.columns.is_unique


def test_the_scaler_gives_training_rows_zero_mean_and_unit_variance() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, 6.0], "b": [0.0, 0.0, 3.0]})
    out = scaler().fit_transform(frame)
    np.testing.assert_allclose(out.mean(), 0, atol=1e-12)
    np.testing.assert_allclose(out.std(ddof=0), 1)
    assert out.columns.tolist() == ["a", "b"]


def test_the_reducer_drops_constant_correlated_and_unimportant_columns() -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 400)
    signal = y + random.normal(0, 0.3, 400)
    frame = pd.DataFrame(
        {
            "constant": np.r_[1.0, np.zeros(399)],
            "signal": signal,
            "twin": signal * 2 + random.normal(0, 0.01, 400),
            "other": (y == 1) + random.normal(0, 0.3, 400),
            "noise": random.integers(0, 2, 400).astype(float),
        }
    )
    settings = default(
        TrainingConfig, reducer=ReducerConfig(enabled=True, constant=0.99, correlated=0.95, importance=0.2)
    )
    reducer = dimensionality_reducer(settings, 1, 1)
    assert not isinstance(reducer, str)
    assert reducer.fit_transform(frame, y).columns.tolist() == ["signal", "other"]


def test_vectors_become_columns_and_an_empty_batch_none() -> None:
    frame = pd.DataFrame({"embedding": pd.Series([np.array([1, 2], np.float32), np.array([3, 4], np.float32)])})
    step = EmbeddingColumns().fit(frame)
    out = step.transform(frame)
    assert (out.tolist(), out.dtype) == ([[1, 2], [3, 4]], np.float32)
    assert step.transform(frame[:0]).shape == (0, 2)
    assert step.get_feature_names_out().tolist() == ["embedding=000", "embedding=001"]
    with pytest.raises(NotFittedError):
        EmbeddingColumns().transform(frame)


@pytest.mark.parametrize("reduced", ["true", "false"])
def test_the_training_pipeline_has_the_steps_of_the_design_and_clones(
    tmp_path: Path, make_config: Callable[..., Config], reduced: str
) -> None:
    pipeline = build_training_pipeline(make_config(tmp_path, f"training.reducer.enabled={reduced}"), FIELDS)
    names = [name for name, _ in clone(pipeline).steps]
    assert names == ["imputer", "encoding", "scaler", "dimensionality_reducer", "training"]
    assert (pipeline.named_steps["dimensionality_reducer"] == "passthrough") is (reduced == "false")
