"""Loads a registered version for ``mlflow.pyfunc``; MLflow's file ``MLmodel`` names this module.

A registered version is a model folder as in ``paths.models`` and contains no pickle.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from batch_nlp.storage.manifest import read_manifest
from batch_nlp.storage.model_folder import open_model
from batch_nlp.storage.registry import Model


class ServedModel:
    """A model with the interface that MLflow calls."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return class, label and ``probability_<class>`` of rows of the feature store, with the index of the input.

        `params` are part of MLflow's interface and unused.
        """
        classes: list[str] = self.model.manifest["classes"]
        rows = model_input[self.model.fields.names]
        probabilities = self.model.pipeline.predict_proba(rows)
        predicted = self.model.pipeline.predict(rows).astype(int)
        values = {
            "predicted_class": predicted,
            "predicted_label": [self.model.outcomes[index] for index in predicted],
            **{f"probability_{name}": probabilities[:, index] for index, name in enumerate(classes)},
        }
        return pd.DataFrame(values, index=model_input.index)


def _load_pyfunc(path: str) -> ServedModel:
    """Load the model in a folder; a `DataError` refuses files that are missing, damaged or contain untrusted types."""
    folder = Path(path)
    manifest = read_manifest(folder)
    return ServedModel(Model(folder.name, open_model(folder, manifest), manifest))
