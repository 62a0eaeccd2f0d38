"""The training pipeline: which steps, in which order. Fitted, it is the model."""

from __future__ import annotations

from pathlib import Path

from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from batch_nlp.config import Config
from batch_nlp.training.classifier import build_classifier
from batch_nlp.training.encoding import build_encoding, build_imputer, build_reducer, build_scaler


def build_training_pipeline(config: Config, checkpoints: Path | None = None) -> Pipeline:
    """Return the unfitted training pipeline; it takes rows of the feature store (`FEATURE_COLUMNS`).

    Parameters
    ----------
    config : Config
    checkpoints : Path, optional
        Where a classifier that can be resumed keeps how far it came.
    """
    training, classifier = config.training, build_classifier(config, checkpoints)
    reads_text = bool(get_tags(classifier.estimator).input_tags.string)
    threads = config.engine.threads
    reducer = build_reducer(training.reducer, config.seed, threads)
    return Pipeline(
        [
            ("imputer", build_imputer()),
            ("encoding", build_encoding(training, config.seed, threads, keep_text=reads_text)),
            ("scaler", build_scaler(keep_text=reads_text)),
            ("dimensionality_reducer", reducer if training.reducer.enabled else "passthrough"),
            ("training", classifier),
        ]
    )
