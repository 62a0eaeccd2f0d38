"""What the runner calls to track trainings. The base class keeps nothing."""

from __future__ import annotations

from pathlib import Path

from batch_nlp.tracking.tracked_training import TrackedTraining


class Tracker:
    """Base class of trackers; keeps nothing.

    A tracker never raises: a training is worth more than its record elsewhere.
    """

    def training(self, training: TrackedTraining) -> None:
        """Record a finished training and the gate's decision."""

    def rollback(self, old: Path, new: Path) -> None:
        """Record that an earlier version is the champion again.

        Parameters
        ----------
        old, new : Path
            Folders of the versions in the registry.
        """
