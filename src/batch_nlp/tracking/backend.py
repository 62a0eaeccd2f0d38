"""Chooses the tracker that the settings ask for."""

from __future__ import annotations

from batch_nlp.config import Config, TrackingBackend
from batch_nlp.tracking.tracker import Tracker


def create_tracker(config: Config) -> Tracker:
    """Return the tracker of ``tracking.backend``; without a backend, one that keeps nothing."""
    if config.tracking.backend is TrackingBackend.none:
        return Tracker()
    # imported late: MLflow is an extra
    from batch_nlp.tracking.mlflow_tracker import MlflowTracker

    return MlflowTracker(config)
