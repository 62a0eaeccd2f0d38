"""The runner: which pipelines run, in what order, and what follows a verdict."""

from __future__ import annotations

from batch_nlp.runner.sharing import data_state, measured, right_to_run
from batch_nlp.runner.stages import check_settings, run_stages

__all__ = ["check_settings", "data_state", "measured", "right_to_run", "run_stages"]
