"""Every model of the settings keeps one contract: it trains, is published, loads and predicts what was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.conftest import ROOT
from tests.fields import FIELDS
from tests.unit.training.runs import World, train, with_training

from batch_nlp.config import Balance, Calibration, Config, Input
from batch_nlp.inference.predict import Predict
from batch_nlp.storage.registry import Registry

# the transformer has tests of its own in tests/model: it needs torch
NAMES = sorted({path.stem for path in (ROOT / "conf" / "model").glob("*.yaml")} - {"transformer"})
MODELS = [
    name if name in ("xgboost", "ngram_baseline") else pytest.param(name, marks=pytest.mark.long) for name in NAMES
]
QUICK = {"n_estimators": 15}

MakeConfig = Callable[..., Config]


def settings(world: World, folder: Path, make_config: MakeConfig, model: str) -> Config:
    """Return the world's settings with another model, of few trees."""
    chosen = make_config(folder, f"model={model}").model
    params = {name: QUICK.get(name, value) for name, value in chosen.params.items()}
    config = replace(world.config, model=replace(chosen, params=params))
    return with_training(config, balance=Balance.none) if model == "ngram_baseline" else config


@pytest.mark.usefixtures("fresh_process")
@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_published_and_predicts_what_was_measured_again_and_again(
    tmp_path: Path, world: World, messages: pd.DataFrame, make_config: MakeConfig, model: str
) -> None:
    """Guarantees 14 and 20; publishing loads the model in a fresh process."""
    config = settings(world, tmp_path / "settings", make_config, model)
    result, candidate = train(world, tmp_path, config)
    assert result.version == "v0001"
    champion = Registry(tmp_path / "models").champion()
    assert champion is not None

    outputs = pq.read_table(tmp_path / "data" / "07_model_output" / "sample" / "run-1.parquet").to_pandas()
    hold_out = messages.set_index("message_id", drop=False).loc[outputs["message_id"], FIELDS.schema.names]
    predictions = Predict(champion, "2026-01-01").transform(hold_out.reset_index(drop=True))
    probabilities = predictions.filter(like="probability_").to_numpy()
    np.testing.assert_allclose(probabilities, np.stack(outputs["probabilities"]), rtol=0, atol=1e-12)
    predicted = predictions["predicted_class"].to_numpy()
    assert predicted.tolist() == champion.decide(probabilities).tolist()
    # what the manifest says of the model is true of what inference hands over
    confusion = np.zeros((3, 3), dtype=int)
    np.add.at(confusion, (outputs["label"].to_numpy(), predicted), 1)
    assert champion.manifest["metrics"]["confusion"] == confusion.tolist()
    assert result.metrics["f1_macro"] > 0.45

    if model == "xgboost":  # test_training_run trains it again, in another process
        return
    again, second = train(world, tmp_path / "again", with_training(config, promote=False))
    assert (second / "model.skops").read_bytes() == (candidate / "model.skops").read_bytes()
    name = Path("data", "07_model_output", "sample", "run-1.parquet")
    assert (tmp_path / "again" / name).read_bytes() == (tmp_path / name).read_bytes()
    assert again.metrics == result.metrics


@pytest.mark.parametrize(
    ("balance", "calibration", "inputs"),
    [
        (Balance.smote, Calibration.isotonic, [Input.tabular]),
        (Balance.none, Calibration.temperature, [Input.ngrams]),
        (Balance.weights, Calibration.none, [Input.embedding]),
    ],
)
def test_every_way_around_a_model_is_published(
    tmp_path: Path,
    world: World,
    make_config: MakeConfig,
    balance: Balance,
    calibration: Calibration,
    inputs: list[Input],
) -> None:
    config = settings(world, tmp_path / "settings", make_config, "logistic_regression")
    decision = replace(config.training.decision, calibration=calibration)
    config = with_training(config, balance=balance, decision=decision, inputs=inputs)
    result, _ = train(world, tmp_path, config)
    assert result.version == "v0001"
