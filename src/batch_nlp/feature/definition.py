"""What defines the features of a message, and the version that follows from it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from batch_nlp.config import ColumnsConfig, Config, FeaturesConfig, FiltersConfig, parse, plain
from batch_nlp.contracts import FEATURES_SCHEMA
from batch_nlp.steps.embedding import fingerprint

# Raise it when a step computes something else from the same settings.
STEPS_VERSION = 1


@dataclass(frozen=True)
class FeatureDefinition:
    """Everything that decides which features a message gets.

    Parameters
    ----------
    dataset : str
        Name of the dataset.
    columns : ColumnsConfig
        Where the parts of a message are found.
    filters : FiltersConfig
        Which messages are left out.
    features : FeaturesConfig
        Settings of the steps.
    """

    dataset: str
    columns: ColumnsConfig
    filters: FiltersConfig
    features: FeaturesConfig

    @classmethod
    def from_config(cls, config: Config) -> FeatureDefinition:
        """Return the definition that the settings ask for."""
        return cls(config.dataset.name, config.dataset.columns, config.dataset.filters, config.features)

    def to_dict(self) -> dict[str, Any]:
        """Return the definition as JSON values; `from_dict` is the inverse."""
        return {
            "dataset": self.dataset,
            **{name: plain(getattr(self, name)) for name in ("columns", "filters", "features")},
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FeatureDefinition:
        """Return the definition that a model was trained with, from its manifest."""
        return cls(
            values["dataset"],
            parse(ColumnsConfig, values["columns"]),
            parse(FiltersConfig, values["filters"]),
            parse(FeaturesConfig, values["features"]),
        )

    @cached_property
    def version(self) -> str:
        """The feature version: 12 hexadecimal digits, another one for any other definition.

        Settings that do not change what is computed (names, batch sizes, devices) do not count.
        """
        content = self.to_dict()
        features = content["features"]
        del features["name"]
        # the first group that matches counts, so their order does too
        features["category_groups"] = list(features["category_groups"].items())
        features["embedding"] = fingerprint(self.features.embedding)
        content["steps"] = STEPS_VERSION
        content["schema"] = [f"{field.name}:{field.type}" for field in FEATURES_SCHEMA]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
