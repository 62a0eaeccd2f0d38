"""The training pipeline: which steps, in which order. Fitted, it is the model."""

from __future__ import annotations

from sklearn.pipeline import Pipeline

from batch_nlp.config import Config
from batch_nlp.training.classifier import build_classifier
from batch_nlp.training.encoding import build_encoding, build_imputer, build_reducer, build_scaler


def build_training_pipeline(config: Config) -> Pipeline:
    """Return the unfitted training pipeline; it takes rows of the feature store (`FEATURE_COLUMNS`)."""
    reducer = build_reducer(config.training.reducer, config.seed, config.engine.threads)
    return Pipeline(
        [
            ("imputer", build_imputer()),
            ("encoding", build_encoding(config.training, config.seed)),
            ("scaler", build_scaler()),
            ("dimensionality_reducer", reducer if config.training.reducer.enabled else "passthrough"),
            ("training", build_classifier(config)),
        ]
    )
