from __future__ import annotations

import copy
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.fields import FIELDS

from batch_nlp.inference.predict import Predict, predictions_schema
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.registry import Model, Registry

COLUMNS = [
    "message_id", "predicted_class", "predicted_label", "probability_negative", "probability_neutral",
    "probability_positive", "model_version", "feature_version", "predicted_at",
]  # fmt: skip


class World(Protocol):
    store: FeatureStore
    registry: Registry
    definition: Any


@pytest.fixture(scope="module")
def rows(world: World) -> pd.DataFrame:
    """Return stored features under an index of their own, as the step `embedding` gives them."""
    frame = world.store.labelled(world.store.data_version(world.definition.version))[:50]
    return frame[FIELDS.schema.names].set_index(pd.Index(range(1000, 1050)))


def test_predictions_have_the_columns_that_are_handed_over(champion: Model, rows: pd.DataFrame, world: World) -> None:
    out = Predict(champion, "2026-01-02T03:04:05+00:00").transform(rows)
    assert out.columns.tolist() == COLUMNS
    assert out.index.tolist() == rows.index.tolist()
    assert out["message_id"].tolist() == rows["message_id"].tolist()
    assert set(out["model_version"]) == {"v0001"}
    assert set(out["feature_version"]) == {world.definition.version}
    assert set(out["predicted_at"]) == {pd.Timestamp("2026-01-02T03:04:05Z")}
    table = pa.Table.from_pandas(out, predictions_schema(["negative", "neutral", "positive"]), preserve_index=False)
    assert table.schema.names == COLUMNS


def test_probabilities_sum_to_one_and_the_model_decides_on_the_class(champion: Model, rows: pd.DataFrame) -> None:
    """Guarantee 5."""
    out = Predict(champion, "2026-01-02").transform(rows)
    probabilities = out[COLUMNS[3:6]].to_numpy()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=0, atol=1e-12)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert out["predicted_class"].tolist() == champion.decide(probabilities).tolist()
    names = np.array(["negative", "neutral", "positive"])
    assert out["predicted_label"].tolist() == names[out["predicted_class"]].tolist()
    assert len(set(out["predicted_class"])) > 1
    expected = champion.pipeline.predict_proba(rows[FIELDS.names])
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)


def test_the_class_is_the_one_that_the_model_was_tuned_to_decide_on(champion: Model, rows: pd.DataFrame) -> None:
    """The weights of the decision count, not the greatest probability alone."""
    tuned = copy.deepcopy(champion)
    before = Predict(champion, "2026-01-02").transform(rows)
    for weights, decided in (([1, 1e9, 1], 1), ([1e9, 1, 1], 0)):
        tuned.pipeline.steps[-1][1].decision_weights_ = np.array(weights)
        out = Predict(tuned, "2026-01-02").transform(rows)
        assert set(out["predicted_class"]) == {decided}
        assert set(out["predicted_label"]) == {["negative", "neutral"][decided]}
        pd.testing.assert_frame_equal(out[COLUMNS[3:6]], before[COLUMNS[3:6]])


def test_an_empty_batch_gives_an_empty_table_of_the_same_columns(champion: Model, rows: pd.DataFrame) -> None:
    """Guarantee 7."""
    out = Predict(champion, "2026-01-02").transform(rows[:0])
    assert out.columns.tolist() == COLUMNS
    assert out.empty
    pa.Table.from_pandas(out, predictions_schema(["negative", "neutral", "positive"]), preserve_index=False)


def test_messages_of_which_little_is_known_are_predicted(champion: Model, rows: pd.DataFrame) -> None:
    bare = rows[:3].assign(
        text="", category_group=None, **dict.fromkeys(["elite_years", "tenure_days", "category_count"], np.nan)
    )
    bare["category_group"] = pd.Series([None, "casino", None], bare.index, object)
    bare["embedding"] = pd.Series([np.zeros(256, np.float32)] * 3, bare.index, object)
    out = Predict(champion, "2026-01-02").transform(bare)
    assert np.isfinite(out[COLUMNS[3:6]].to_numpy()).all()


def test_the_features_are_not_changed(champion: Model, rows: pd.DataFrame) -> None:
    before = rows.copy(deep=True)
    Predict(champion, "2026-01-02").transform(rows)
    pd.testing.assert_frame_equal(rows, before)
