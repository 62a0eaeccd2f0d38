"""Trains on growing shares of the messages, and measures each model on the same hold-out."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from loguru import logger
from numpy.typing import NDArray

from batch_nlp.config import Config
from batch_nlp.dataset.classes import check_classes
from batch_nlp.dataset.split import rows_at
from batch_nlp.errors import DataError
from batch_nlp.fields import Fields
from batch_nlp.metrics.bootstrap import with_intervals
from batch_nlp.metrics.confusion import METRICS, confusion_matrix
from batch_nlp.progress import progress
from batch_nlp.training.learning_curve.extrapolation import Outlook, look_ahead
from batch_nlp.training.model_choice import choose_model
from batch_nlp.training.pipeline import build_training_pipeline, fit_pipeline, in_parts
from batch_nlp.training.prepare import prepare


@dataclass(frozen=True)
class Point:
    """One size of the training data."""

    # Share of all training messages
    share: float
    messages: int
    # Metrics on the hold-out
    scores: dict[str, float]
    # Their 95 % intervals, by the bootstrap over held-out messages
    intervals: dict[str, tuple[float, float]]
    # Duration of the fit
    seconds: float


@dataclass(frozen=True)
class Skipped:
    """A size without a model, and why."""

    share: float
    messages: int
    reason: str


@dataclass(frozen=True)
class LearningCurve:
    """The measured points and their extrapolation."""

    model: str
    holdout_messages: int
    # By size
    points: list[Point]
    skipped: list[Skipped]
    # By metric
    outlooks: dict[str, Outlook]

    def to_dict(self) -> dict[str, Any]:
        """Return the curve as JSON values."""
        said = {name: outlook.sentence for name, outlook in self.outlooks.items()}
        return {**asdict(self), "said": said}


def measure_learning_curve(
    config: Config, messages: pd.DataFrame, fields: Fields, checkpoints: Path | None = None
) -> LearningCurve:
    """Train on each of ``learning_curve.shares`` and measure.

    The hold-out is that of training, for every size. A share takes the newest training messages, which are nearest to
    the hold-out in time; larger shares add older messages.

    Parameters
    ----------
    messages : DataFrame, shape (n, ...)
        Labelled messages of the feature store, oldest first.
    checkpoints : Path, optional
        Folder for classifiers that can resume training.

    Raises
    ------
    DataError
        If no size has enough messages.
    """
    # the curve is about the classes, with and without abstention
    config = replace(
        config, training=replace(config.training, decision=replace(config.training.decision, abstain=None))
    )
    found, parts = prepare(config, messages)
    labels, classes, least = found.labels, found.map.classes, config.training.min_class_messages
    train, hold_out = parts.train, parts.hold_out
    # of all training messages, so that every size is one model's
    config, _ = choose_model(config, messages["text"][train].tolist(), len(classes))
    truth = np.asarray(labels[hold_out], dtype=np.int64)
    points: list[Point] = []
    skipped: list[Skipped] = []
    predictions: list[NDArray[np.int64]] = []
    with progress("learning curve", "sizes", len(config.learning_curve.shares)) as advance:
        for share in config.learning_curve.shares:
            rows = train[len(train) - max(round(share * len(train)), 1) :]
            try:
                check_classes(labels[rows], classes, least, "messages to train on", labels, least)
                started = time.perf_counter()
                pipeline = build_training_pipeline(config, fields, checkpoints)
                fitted_on, places = rows_at(messages, rows)[fields.names], found.places_at(rows)
                fit_pipeline(pipeline, fitted_on, labels[rows].to_numpy(), places=places)
                seconds = time.perf_counter() - started
            except DataError as error:
                skipped.append(Skipped(share, len(rows), str(error)))
                logger.warning("Learning curve: skipped {:,} messages: {}", len(rows), error)
            else:
                predicted = in_parts(pipeline.predict, rows_at(messages, hold_out)[fields.names]).astype(np.int64)
                pipeline.steps[-1][1].discard_checkpoints()
                measured = with_intervals(confusion_matrix(truth, predicted, len(classes)), config.seed)
                scores = {name: measured[name]["value"] for name in METRICS}
                intervals = {name: (measured[name]["low"], measured[name]["high"]) for name in METRICS}
                points.append(Point(share, len(rows), scores, intervals, seconds))
                predictions.append(predicted)
                said = ", ".join(f"{name} {value:.4f}" for name, value in scores.items())
                logger.info("Learning curve: {:,} messages: {} ({:.1f} s)", len(rows), said, seconds)
            advance(1)
    if not points:
        raise DataError(
            f"No share in learning_curve.shares={list(config.learning_curve.shares)} has enough messages to train on. "
            f"The largest: {skipped[-1].reason}"
        )
    sizes = [point.messages for point in points]
    outlooks = {name: look_ahead(sizes, truth, predictions, len(classes), name, config.seed) for name in METRICS}
    return LearningCurve(config.model.name, len(hold_out), points, skipped, outlooks)
