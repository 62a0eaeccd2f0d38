"""The real steps of feature and inference pipeline, ready to run on any raw rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pytest

from batch_nlp.config import Config, EngineConfig
from batch_nlp.dataset.message_reader import read_messages
from batch_nlp.feature.pipeline import FeatureContext, build_feature_pipeline, load_side_tables, read_columns
from batch_nlp.inference.predict import Predict
from batch_nlp.storage.known import KnownMessages
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import Ledger
from batch_nlp.storage.raw.batches import RawBatch
from batch_nlp.storage.registry import Model, Registry
from batch_nlp.storage.sql import connect


class World(Protocol):
    config: Config
    layers: Layers
    registry: Registry
    definition: Any


@dataclass(frozen=True)
class Outcome:
    """The outcome of some messages."""

    features: pd.DataFrame
    predictions: pd.DataFrame
    ledger: Ledger


Score = Callable[[Iterable[RawBatch]], Outcome]


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all parts; parts without rows would only change types."""
    return pd.concat([part for part in parts if len(part)] or parts[:1] or [pd.DataFrame()], ignore_index=True)


@pytest.fixture(scope="session")
def score(world: World, champion: Model, embedding_cache: Path, engine: EngineConfig) -> Score:
    """Return a function that scores raw batches by the steps of a real run, in their order."""
    config, definition = world.config, world.definition
    # built once, so that the model is loaded once; each run gets a ledger and a memory of its own
    nothing: Any = None
    context = FeatureContext(nothing, nothing, nothing, embedding_cache, engine)
    pipeline = build_feature_pipeline(config, definition, context)
    predict = Predict(champion, "2026-01-01T00:00:00+00:00")

    def run(batches: Iterable[RawBatch]) -> Outcome:
        ledger, features, predictions = Ledger(), [], []
        with connect(engine) as connection:
            pipeline.set_params(
                extract__side_tables=load_side_tables(config, definition, world.layers, connection),
                extract__ledger=ledger,
                remove_duplicates__known=KnownMessages(connection, None),
                remove_duplicates__ledger=ledger,
                validate__ledger=ledger,
            )
            for batch in batches:
                ledger.receive(batch)
                features.append(pipeline.transform(batch.rows))
                predictions.append(predict.transform(features[-1]))
                ledger.done += len(predictions[-1])
        return Outcome(_joined(features), _joined(predictions), ledger)

    return run


@pytest.fixture(scope="session")
def read(world: World) -> Callable[[Path, int], Iterable[RawBatch]]:
    """Return a reader of message files, as inference reads them."""

    def batches(file: Path, batch_rows: int) -> Iterable[RawBatch]:
        config = replace(world.config, engine=replace(world.config.engine, batch_rows=batch_rows))
        return read_messages(config, read_columns(config, world.definition), [file], labels=False)

    return batches


@pytest.fixture(scope="session")
def sample_rows(sample_raw: Path, read: Callable[[Path, int], Iterable[RawBatch]]) -> pd.DataFrame:
    """Return the raw rows of the sample."""
    return pd.concat([batch.rows for batch in read(next(sample_raw.glob("*review*")), 5000)], ignore_index=True)
