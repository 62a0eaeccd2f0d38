"""Step `predict`: features become classes and probabilities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from batch_nlp.contracts import FEATURE_COLUMNS, FEATURES_SCHEMA
from batch_nlp.steps.base import StatelessStep
from batch_nlp.storage.feature_store import features_frame
from batch_nlp.storage.registry import Model


def predictions_schema(classes: list[str]) -> pa.Schema:
    """Return the columns of the predictions that are handed over."""
    return pa.schema(
        [
            ("message_id", pa.string()),
            ("predicted_class", pa.int16()),
            ("predicted_label", pa.string()),
            *((f"probability_{name}", pa.float64()) for name in classes),
            ("model_version", pa.string()),
            ("feature_version", pa.string()),
            ("predicted_at", pa.timestamp("us", tz="UTC")),
        ]
    )


class Predict(StatelessStep):
    """Score messages with a published model.

    Parameters
    ----------
    model : Model
        Trained on features of the version that it is given.
    predicted_at : str
        ISO time that the predictions carry.
    """

    def __init__(self, model: Model, predicted_at: str) -> None:
        self.model = model
        self.predicted_at = predicted_at

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return a prediction for each message; the index stays.

        Parameters
        ----------
        X : DataFrame, shape (n, ...)
            Output of the step `embedding`.

        Returns
        -------
        DataFrame, shape (n, 6 + n_classes)
            The columns of `predictions_schema`; the probabilities of a message sum to 1.
        """
        classes: list[str] = self.model.manifest["classes"]
        # through the store's own types, so that a model is given just what it was trained on
        rows = features_frame(pa.Table.from_pandas(X, schema=FEATURES_SCHEMA, preserve_index=False))
        probabilities = np.empty((0, len(classes)))
        if len(rows):
            probabilities = self.model.pipeline.predict_proba(rows[list(FEATURE_COLUMNS)]).astype(np.float64)
            probabilities /= probabilities.sum(axis=1, keepdims=True)
        predicted = self.model.decide(probabilities)
        values = {
            "message_id": X["message_id"],
            "predicted_class": pd.Series(predicted, X.index, np.int16),
            "predicted_label": pd.Series([classes[index] for index in predicted], X.index, object),
            **{f"probability_{name}": pd.Series(probabilities[:, i], X.index) for i, name in enumerate(classes)},
            "model_version": self.model.version,
            "feature_version": self.model.manifest["data_version"]["feature_version"],
            "predicted_at": pd.Timestamp(self.predicted_at).as_unit("us"),
        }
        return pd.DataFrame(values, index=X.index)
