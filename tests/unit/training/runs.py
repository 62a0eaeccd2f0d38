"""Trainings in folders of their own, on the features that the session has computed once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from tests.fields import FIELDS

from batch_nlp.config import Calibration, Config, Input
from batch_nlp.fields import Fields
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.registry import Registry
from batch_nlp.training.run import TrainingResult, run_training_pipeline
from batch_nlp.training.validation import Validation

NOW = datetime(2026, 5, 6, tzinfo=UTC)


class World(Protocol):
    config: Config
    layers: Layers
    store: FeatureStore
    registry: Registry
    definition: Any


def with_training(config: Config, **settings: Any) -> Config:
    return replace(config, training=replace(config.training, **settings))


def light(config: Config) -> Config:
    """Return settings of a model that takes half the time to train, where it is not asked what it has learned."""
    decision = replace(config.training.decision, calibration=Calibration.none, metric=None)
    return with_training(config, inputs=[Input.tabular], decision=decision)


def train(
    world: World,
    folder: Path,
    config: Config,
    store: FeatureStore | None = None,
    registry: Registry | None = None,
    run: str = "run-1",
) -> tuple[TrainingResult, Path]:
    """Train in a folder of its own; return the result and the candidate's folder."""
    layers = Layers(folder / "data", "sample")
    result = run_training_pipeline(
        config,
        layers,
        store or world.store,
        registry or Registry(folder / "models"),
        world.definition.to_dict(),
        world.definition.version,
        FIELDS,
        run,
        NOW,
    )
    return result, layers.candidates / run


def measured(truth: NDArray[np.int64], predicted: NDArray[np.int64], fields: Fields = FIELDS, **more: Any) -> Any:
    """Return what the measurements read of a candidate of two classes."""
    classes = ["no", "yes"]
    found = Validation.of(truth, predicted, classes)
    measured = {"truth": truth, "predicted": predicted, "validation": found}
    return SimpleNamespace(fields=fields, classes=classes, outcomes=classes, **measured, **more)
