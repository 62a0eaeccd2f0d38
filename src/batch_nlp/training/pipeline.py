"""The training pipeline: built from the list of steps in the settings. Fitted, it is the model."""

from __future__ import annotations

from pathlib import Path

from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from batch_nlp.config import Config
from batch_nlp.config.builder import build_steps
from batch_nlp.fields import Fields
from batch_nlp.training.classifier import build_classifier


def build_training_pipeline(config: Config, fields: Fields, checkpoints: Path | None = None) -> Pipeline:
    """Return the unfitted training pipeline; it takes the fields of rows of the feature store.

    Parameters
    ----------
    config : Config
        ``training.steps`` names the steps; those of the project read ``training`` and ``model``.
    fields : Fields
        Of the rows.
    checkpoints : Path, optional
        Where a classifier that can be resumed keeps how far it came.
    """
    classifier = build_classifier(config, checkpoints)
    bound = {
        "settings": config.training,
        "fields": fields,
        "seed": config.seed,
        "threads": config.engine.threads,
        "keep_text": bool(get_tags(classifier.estimator).input_tags.string),
        "classifier": classifier,
    }
    return Pipeline(build_steps(config.training.steps, bound, "training.steps"))
