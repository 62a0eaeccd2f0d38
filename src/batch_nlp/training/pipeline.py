"""The training pipeline: built from the steps in the settings, and fitted and applied in blocks of rows.

The fitted pipeline is the model. Only the classifier sees all columns of all rows at once; its matrix is built once, in
place. The result equals that of `Pipeline.fit`, except for the last digits of the scales with more than `ROWS` rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import DTypeLike, NDArray
from sklearn import config_context
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import get_routing_for_object

from batch_nlp.config import Balance, Config
from batch_nlp.config.builder import build_steps
from batch_nlp.fields import Fields
from batch_nlp.storage.scratch import new_array
from batch_nlp.training.abstention import AbstainingClassifier
from batch_nlp.training.classifier import build_classifier
from batch_nlp.training.tuned_classifier import TunedClassifier

# Rows per block
ROWS = 50_000


def build_training_pipeline(config: Config, fields: Fields, checkpoints: Path | None = None) -> Pipeline:
    """Return the unfitted training pipeline; its input is the fields of rows of the feature store.

    Parameters
    ----------
    config : Config
        ``training.steps`` names the steps; those of the project read ``training`` and ``model``.
    checkpoints : Path, optional
        Where a resumable classifier saves its progress.
    """
    classifier = build_classifier(config, checkpoints)
    # a classifier that makes its own numbers from the texts names the inputs that it reads besides
    reads = getattr(classifier.estimator, "inputs", None)
    inputs = [kind for kind in config.inputs if reads is None or kind in reads]
    bound = {
        "settings": config.training,
        "fields": fields,
        "inputs": inputs,
        "seed": config.seed,
        "threads": config.engine.threads,
        "keep_text": bool(get_tags(classifier.estimator).input_tags.string),
        "classifier": classifier,
    }
    return Pipeline(build_steps(config.training.steps, bound, "training.steps"))


def fit_pipeline(
    pipeline: Pipeline,
    X: pd.DataFrame,
    y: NDArray[Any],
    judged: TunedClassifier | None = None,
    places: NDArray[np.float64] | None = None,
    outside: pd.DataFrame | None = None,
) -> None:
    """Fit the training pipeline.

    Parameters
    ----------
    pipeline : Pipeline
        Unfitted, from `build_training_pipeline`.
    X : DataFrame, shape (n, ...)
        Fields of the training rows.
    y : ndarray of int, shape (n,)
        Classes of the training rows.
    judged : TunedClassifier, optional
        See `TunedClassifier.fit`.
    places : ndarray of float64, shape (n,), optional
        Places of the rows' labels in their order, for the steps before the classifier that ask for them.
    outside : DataFrame, shape (n_outside, ...), optional
        Fields of out-of-scope messages, for a classifier that abstains; no other step is fitted on them.
    """
    *before, (_, classifier) = pipeline.steps
    steps = [step for _, step in before if step != "passthrough"]
    scaled = next((place for place, step in enumerate(steps) if isinstance(step, StandardScaler)), len(steps))
    rows = X
    for step in steps[:scaled]:
        rows = _fit_transform(step, rows, y, places)
    if scaled < len(steps):  # a classifier that reads texts has no matrix
        scaler = steps[scaled]
        for part in _parts(rows):
            scaler.partial_fit(part)
        rows = _matrix(rows, scaler.transform, _precision(classifier))
        for step in steps[scaled + 1 :]:
            rows = step.fit_transform(rows, y)
    if outside is None or outside.empty or not isinstance(classifier, AbstainingClassifier):
        classifier.fit(rows, y, judged)
    else:
        classifier.fit(rows, y, judged, encode(pipeline, outside))


def _fit_transform(step: Any, rows: pd.DataFrame, y: NDArray[Any], places: NDArray[np.float64] | None) -> Any:
    if places is None:
        return step.fit_transform(rows, y)
    with config_context(enable_metadata_routing=True):
        asked = get_routing_for_object(step).consumes("fit_transform", ["places"])
        return step.fit_transform(rows, y, **dict.fromkeys(asked, places))


def encode(pipeline: Pipeline, X: pd.DataFrame) -> pd.DataFrame:
    """Return the input of the classifier in a fitted training pipeline.

    Parameters
    ----------
    X : DataFrame, shape (n, ...)
        Fields of rows of the feature store.

    Returns
    -------
    DataFrame, shape (n, n_features)
        float32 where the classifier uses no more digits.
    """
    before = pipeline[:-1]
    if not any(isinstance(step, StandardScaler) for _, step in before.steps):
        encoded: pd.DataFrame = before.transform(X)
        return encoded
    return _matrix(X, before.transform, _precision(pipeline.steps[-1][1]))


def in_parts(predict: Callable[[pd.DataFrame], NDArray[Any]], X: pd.DataFrame) -> NDArray[Any]:
    """Apply a function to blocks of rows, and join the results; there must be at least one row."""
    return np.concatenate([predict(part) for part in _parts(X)])


def _parts(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for start in range(0, len(rows), ROWS):
        yield rows.iloc[start : start + ROWS]


def _matrix(rows: pd.DataFrame, transform: Callable[[pd.DataFrame], pd.DataFrame], dtype: DTypeLike) -> pd.DataFrame:
    """Return the transformed rows as one block in column order, which pandas and XGBoost read fastest."""
    columns: pd.Index[str] | None = None
    values = np.empty((0, 0), dtype)
    start = 0
    for part in _parts(rows):
        made = transform(part)
        if columns is None:
            columns = made.columns
            values = new_array((len(columns), len(rows)), dtype)
        values[:, start : start + len(made)] = made.to_numpy(dtype).T
        start += len(made)
    return pd.DataFrame(values.T, index=rows.index, columns=columns, copy=False)


def _precision(classifier: TunedClassifier) -> type[np.floating[Any]]:
    """Return the type of the classifier's input: float32 for XGBoost, which converts to it anyway."""
    reads_32 = type(classifier.estimator).__module__.partition(".")[0] == "xgboost"
    # SMOTE interpolates between neighbours in float64
    return np.float32 if reads_32 and Balance(classifier.balance) is not Balance.smote else np.float64
