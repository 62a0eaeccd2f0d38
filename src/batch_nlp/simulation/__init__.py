"""Replays days of batches through the real runner, to see when retraining pays."""

from __future__ import annotations

from batch_nlp.simulation.replay import replay
from batch_nlp.simulation.report import show_result, write_result
from batch_nlp.simulation.result import Result
from batch_nlp.simulation.settings import check_simulation

__all__ = ["Result", "check_simulation", "replay", "show_result", "write_result"]
