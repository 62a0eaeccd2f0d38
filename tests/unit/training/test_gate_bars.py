"""Candidates that have learned nothing never take the place of a model that has."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.unit.training.runs import World, train, with_training

from batch_nlp.config import Config, EngineConfig, Input, ModelConfig, ThresholdsConfig
from batch_nlp.storage.feature_store import DataVersion, FeatureStore
from batch_nlp.storage.registry import Registry

# of each kind; `make test-gate` trains 25
CANDIDATES = int(os.environ.get("BATCH_NLP_CANDIDATES", "2"))


class ShuffledLabels(FeatureStore):
    """The store as it would be if the labels had been given to the wrong messages.

    Parameters
    ----------
    folder, engine
        As of any store.
    seed : int
        Of the shuffle.
    part : slice
        Which messages' labels are shuffled, among themselves; oldest first.
    """

    def __init__(self, folder: Path, engine: EngineConfig, seed: int, part: slice) -> None:
        super().__init__(folder, engine)
        self._seed, self._part = seed, part

    def labelled(self, version: DataVersion) -> pd.DataFrame:
        messages = super().labelled(version)
        target = messages["target"].to_numpy(copy=True)
        target[self._part] = np.random.default_rng(self._seed).permutation(target[self._part])
        return messages.assign(target=target)


@pytest.fixture(scope="module")
def quick(world: World) -> Config:
    """Return settings of a quick model."""
    model = ModelConfig("logistic_regression", "sklearn.linear_model.LogisticRegression", {"max_iter": 1000})
    ngrams = replace(world.config.training.ngrams, folds=3, max_n=1)
    decision = replace(world.config.training.decision, metric=None)
    inputs = [Input.tabular, Input.ngrams]
    config = with_training(world.config, inputs=inputs, ngrams=ngrams, decision=decision, keep_versions=2)
    return replace(config, model=model)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, world: World, quick: Config) -> Registry:
    """Return a registry whose champion was trained on true labels."""
    folder = tmp_path_factory.mktemp("champion")
    registry = Registry(folder / "models")
    result, _ = train(world, folder, quick, registry=registry)
    assert result.version == "v0001"
    return registry


@pytest.mark.parametrize("shuffled", ["training labels", "all labels"])
def test_no_candidate_of_shuffled_labels_is_promoted(
    tmp_path: Path, world: World, messages: pd.DataFrame, quick: Config, registry: Registry, shuffled: str
) -> None:
    """Guarantee 12.

    Measured on true labels, the comparison with the champion is enough. With the labels of the hold-out shuffled as
    well, the champion is no better there than anyone: the thresholds refuse.
    """
    alone = shuffled == "training labels"
    part = slice(len(messages) - round(0.2 * len(messages)) if alone else None)
    config = (
        with_training(quick, thresholds=ThresholdsConfig(f1_macro=None, f1_weighted=None, recall=None))
        if alone
        else quick
    )
    promoted, bounds = 0, []
    for seed in range(CANDIDATES):
        store = ShuffledLabels(world.store.folder, world.config.engine, seed, part)
        result, _ = train(world, tmp_path, replace(config, seed=seed), store, registry, f"run-{seed}")
        assert result.decision is not None
        promoted += result.version is not None
        bounds += [check.value for check in result.decision.checks if "lower bound" in check.name]
    print(f"{promoted} of {CANDIDATES} candidates promoted with {shuffled} shuffled; best bound {max(bounds):.3f}")
    assert promoted == 0
    assert registry.versions() == ["v0001"]
    assert len(bounds) == CANDIDATES
