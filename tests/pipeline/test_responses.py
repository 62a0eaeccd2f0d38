"""Each `drift.response` through the real runner."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from tests.conftest import World
from tests.pipeline.nights import decisions, labels_arrive, layers, night, nightly
from tests.settings import default

from batch_nlp.config import Config, DriftResponse, GateConfig
from batch_nlp.storage.registry import Registry


def predictions(config: Config, name: str = "predictions") -> pd.DataFrame:
    (file,) = layers(config).predictions.glob(f"*/{name}.parquet")
    return pq.read_table(file).to_pandas()


def label_rows(config: Config) -> int:
    return DeltaTable(str(layers(config).feature_store / "labels")).to_pyarrow_table().num_rows


@pytest.mark.parametrize(("response", "code"), [(DriftResponse.alert, 4), (DriftResponse.none, 0)])
def test_a_passive_response_trains_nothing(world: World, tmp_path: Path, response: DriftResponse, code: int) -> None:
    config = nightly(world, tmp_path, response=response)
    assert night(config, 0) == code
    assert [decision["decision"] for decision in decisions(config)] == ["batch"]
    assert Registry(Path(config.paths.models)).champion_version() == "v0001"


def test_reweighting_predicts_the_batch_again_for_its_own_class_shares(world: World, tmp_path: Path) -> None:
    config = nightly(world, tmp_path, response=DriftResponse.reweight)
    assert night(config, 0, messages=300, class_mix=[0.8, 0.1, 0.1]) == 0
    first, second = predictions(config), predictions(config, "reweighted")
    assert second["message_id"].tolist() == first["message_id"].tolist()
    probabilities = second.filter(like="probability_").to_numpy()
    assert np.allclose(probabilities.sum(axis=1), 1, rtol=0, atol=1e-12)
    # 80 % are negative, where a fifth was in training: more messages are called so than at first
    assert (second["predicted_label"] == "negative").mean() > (first["predicted_label"] == "negative").mean()
    (decision,) = decisions(config, "reweighting")
    assert decision["shares"][0] == pytest.approx(0.8, abs=0.12)
    assert sum(decision["shares"]) == pytest.approx(1)
    assert decisions(config, "retraining") == []


def test_a_new_champion_predicts_the_batch_again_and_both_predictions_are_kept(world: World, tmp_path: Path) -> None:
    config = nightly(world, tmp_path, rescore=True)
    # what is asked here is what follows a promotion, so the gate lets everything pass that differs
    gate = default(GateConfig, tolerance=1.0, max_recall_drop=1.0)
    config = replace(config, training=replace(config.training, gate=gate))
    # there is nothing new to learn from yet
    assert night(replace(config, drift=replace(config.drift, response=DriftResponse.alert)), 0, messages=100) == 4
    before = predictions(config)
    for file in layers(config).predictions.glob("*"):
        assert [path.name for path in file.glob("*.parquet")] == ["predictions.parquet"]
    labels_arrive(config)
    labels = label_rows(config)
    assert night(config, 1, messages=40) == 0
    assert label_rows(config) > labels
    retraining = decisions(config, "retraining")[-1]
    assert (retraining["outcome"], retraining["champion"]) == ("promoted", "v0002")
    assert sum(retraining["counts_after"]["v0002"]) == sum(retraining["counts"])
    folder = layers(config).predictions / retraining["batch"]
    first, second = (
        pq.read_table(folder / f"{name}.parquet").to_pandas() for name in ("predictions", "rescored-v0002")
    )
    assert second["message_id"].tolist() == first["message_id"].tolist()
    assert set(first["model_version"]) == {"v0001"}
    assert set(second["model_version"]) == {"v0002"}
    # the new champion says just what it says of these messages in the store
    model = Registry(Path(config.paths.models)).champion()
    assert model is not None
    found = second["predicted_class"].value_counts().reindex(range(3), fill_value=0).tolist()
    assert found == retraining["counts_after"]["v0002"]
    assert len(before) > len(first)
