"""The runner: which pipelines run, in what order, and what follows a verdict."""

from __future__ import annotations

from batch_nlp.runner.lock_scope import data_state, lock_scope, measured
from batch_nlp.runner.stages import check_settings, run_stages

__all__ = ["check_settings", "data_state", "lock_scope", "measured", "run_stages"]
