"""What the runner tells a tracker, and the one that keeps nothing."""

from __future__ import annotations

from pathlib import Path

from batch_nlp.config import Config, TrackingBackend
from batch_nlp.tracking.facts import TrackedTraining


class Tracker:
    """Keeps nothing; what others are made of.

    A tracker never raises: a training is worth more than its record elsewhere.
    """

    def training(self, training: TrackedTraining) -> None:
        """Keep a training that is over, and what the gate said."""

    def rollback(self, old: Path, new: Path) -> None:
        """Keep that one version has taken the champion's place back.

        Parameters
        ----------
        old, new : Path
            Folders of the versions in the registry.
        """


def create_tracker(config: Config) -> Tracker:
    """Return the tracker that the settings ask for."""
    if config.tracking.backend is TrackingBackend.none:
        return Tracker()
    from batch_nlp.tracking.mlflow_tracker import MlflowTracker

    return MlflowTracker(config)
