"""Rows of the feature store to train on."""

from __future__ import annotations

from typing import Any, Protocol

import pandas as pd
import pytest

from batch_nlp.dataset.classes import class_map
from batch_nlp.storage.feature_store import FeatureStore


class World(Protocol):
    config: Any
    store: FeatureStore
    definition: Any


@pytest.fixture(scope="session")
def messages(world: World) -> pd.DataFrame:
    """Return the labelled messages of the store, oldest first; nobody changes them."""
    return world.store.labelled(world.store.data_version(world.definition.version))


@pytest.fixture(scope="session")
def labels(world: World, messages: pd.DataFrame) -> pd.Series[int]:
    found = class_map(world.config.dataset.label)
    assert found is not None
    return found.indices(messages["target"])
