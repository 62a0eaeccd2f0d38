"""Step `predict`: compute classes and probabilities from features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from batch_nlp.dataset.message_columns import kept_field
from batch_nlp.steps.base import StatelessStep
from batch_nlp.storage.feature_store import features_frame
from batch_nlp.storage.registry import Model

# Columns before and after the probabilities
_BEFORE = (
    pa.field("message_id", pa.string()),
    pa.field("predicted_class", pa.int16()),
    pa.field("predicted_label", pa.string()),
)
_AFTER = (
    pa.field("model_version", pa.string()),
    pa.field("feature_version", pa.string()),
    pa.field("predicted_at", pa.timestamp("us", tz="UTC")),
)
PROBABILITY = "probability_"
# Key in the metadata of a file of predictions
ABSTAINED = "batch_nlp.abstained"
OWN_COLUMNS = [field.name for field in (*_BEFORE, *_AFTER)]


def predictions_schema(classes: list[str], kept_columns: Sequence[str] = (), abstained: str | None = None) -> pa.Schema:
    """Return the schema of predictions; copied source columns come last.

    The label of messages without a class, `abstained`, is in the metadata; their index follows those of the classes.
    """
    return pa.schema(
        [
            *_BEFORE,
            *(pa.field(f"{PROBABILITY}{name}", pa.float64()) for name in classes),
            *_AFTER,
            *(pa.field(name, pa.string()) for name in kept_columns),
        ],
        metadata=None if abstained is None else {ABSTAINED: abstained},
    )


def kept_columns(schema: pa.Schema) -> list[str]:
    """Return the copied source columns in the schema of predictions."""
    names: list[str] = schema.names
    return names[names.index(_AFTER[-1].name) + 1 :]


class Predict(StatelessStep):
    """Score messages with a model that was trained on their feature version.

    `predicted_at` is the ISO time in the predictions; `kept_columns` are copied from the source.
    """

    def __init__(self, model: Model, predicted_at: str, kept_columns: Sequence[str] = ()) -> None:
        self.model = model
        self.predicted_at = predicted_at
        self.kept_columns = kept_columns

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return a prediction per message with the same index.

        Parameters
        ----------
        X : DataFrame, shape (n, ...)
            Output of the feature steps.

        Returns
        -------
        DataFrame, shape (n, 6 + n_classes + n_kept)
            The columns of `predictions_schema`; the probabilities of a message sum to 1.
        """
        classes: list[str] = self.model.manifest["classes"]
        # the types of the store, so that the model gets exactly what it was trained on
        fields = self.model.fields
        rows = features_frame(pa.Table.from_pandas(X, schema=fields.schema, preserve_index=False))
        probabilities = np.empty((0, len(classes)))
        if len(rows):
            probabilities = self.model.pipeline.predict_proba(rows[fields.names]).astype(np.float64)
            probabilities /= probabilities.sum(axis=1, keepdims=True)
        predicted, outcomes = self.model.decide(probabilities), self.model.outcomes
        values = {
            "message_id": X["message_id"],
            "predicted_class": pd.Series(predicted, X.index, np.int16),
            "predicted_label": pd.Series([outcomes[index] for index in predicted], X.index, object),
            **{f"{PROBABILITY}{name}": pd.Series(probabilities[:, i], X.index) for i, name in enumerate(classes)},
            "model_version": self.model.version,
            "feature_version": self.model.manifest["data_version"]["feature_version"],
            "predicted_at": pd.Timestamp(self.predicted_at).as_unit("us"),
            **{name: X[kept_field(name)] for name in self.kept_columns},
        }
        return pd.DataFrame(values, index=X.index)
