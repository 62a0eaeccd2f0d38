"""Tracking of trainings in a tool of the user's choice, beside the reports that every run leaves."""

from __future__ import annotations

from batch_nlp.tracking.facts import TrackedTraining
from batch_nlp.tracking.settings import check_arguments, check_tracking
from batch_nlp.tracking.tracker import Tracker, create_tracker

__all__ = ["TrackedTraining", "Tracker", "check_arguments", "check_tracking", "create_tracker"]
