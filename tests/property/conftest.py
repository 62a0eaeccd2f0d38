"""The real steps of feature and inference pipeline, ready to run on any raw rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from batch_nlp.config import Config, EngineConfig
from batch_nlp.dataset.side_tables import SideTables
from batch_nlp.feature.pipeline import Surroundings, build_feature_pipeline
from batch_nlp.inference.predict import Predict
from batch_nlp.steps.base import StepRunner
from batch_nlp.storage.known import KnownMessages
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import Ledger
from batch_nlp.storage.raw import RawBatch, read_batches
from batch_nlp.storage.registry import Model, Registry
from batch_nlp.storage.tables import connect


class World(Protocol):
    config: Config
    layers: Layers
    registry: Registry
    definition: Any


@dataclass(frozen=True)
class Outcome:
    """What became of some messages."""

    features: pd.DataFrame
    predictions: pd.DataFrame
    ledger: Ledger


Score = Callable[[Iterable[RawBatch]], Outcome]


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all parts; parts without rows would only change types."""
    return pd.concat([part for part in parts if len(part)] or parts[:1] or [pd.DataFrame()], ignore_index=True)


@pytest.fixture(scope="session")
def champion(world: World) -> Model:
    """Return the model that scores."""
    found = world.registry.champion()
    assert found is not None
    return found


@pytest.fixture(scope="session")
def score(world: World, champion: Model, embedding_cache: Path, engine: EngineConfig) -> Score:
    """Return a function that scores raw batches by the steps of a real run, in their order."""
    users, businesses = (world.layers.intermediate / f"{table}.parquet" for table in ("user", "business"))
    # built once, so that the model is loaded once; each run gets a ledger and a memory of its own
    nothing: Any = None
    surroundings = Surroundings(nothing, nothing, nothing, embedding_cache, engine)
    steps = build_feature_pipeline(world.definition, list(world.config.dataset.target_map), surroundings).steps
    pipeline = Pipeline([*steps, ("predict", Predict(champion, "2026-01-01T00:00:00+00:00"))])

    def run(batches: Iterable[RawBatch]) -> Outcome:
        ledger, features, predictions = Ledger(), [], []
        with connect(engine) as connection:
            pipeline.set_params(
                extract__side_tables=SideTables(connection, users, businesses),
                extract__ledger=ledger,
                remove_duplicates__known=KnownMessages(connection, None),
                remove_duplicates__ledger=ledger,
                validate__ledger=ledger,
            )
            for batch in batches:
                ledger.receive(batch)
                outputs = dict(StepRunner(pipeline).transform(batch.rows))
                features.append(outputs["embedding"])
                predictions.append(outputs["predict"])
                ledger.done += len(outputs["predict"])
        return Outcome(_joined(features), _joined(predictions), ledger)

    return run


@pytest.fixture(scope="session")
def read() -> Callable[[Path, int], Iterable[RawBatch]]:
    """Return a reader of message files, as inference reads them."""

    def batches(file: Path, batch_rows: int) -> Iterable[RawBatch]:
        return read_batches([file], ("review_id", "text", "date"), ("user_id", "business_id"), batch_rows)

    return batches


@pytest.fixture(scope="session")
def sample_rows(sample_raw: Path, read: Callable[[Path, int], Iterable[RawBatch]]) -> pd.DataFrame:
    """Return the raw rows of the sample."""
    return pd.concat([batch.rows for batch in read(next(sample_raw.glob("*review*")), 5000)], ignore_index=True)
