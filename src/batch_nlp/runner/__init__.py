"""The runner: one module per stage, the order of the stages, the lock around them, and what follows a verdict.

It imports every room but the command line, whose entry points it offers here; no room below may import it.
"""

from __future__ import annotations

from batch_nlp.runner.job_facts import candidate_card, data_state, hold_out_metrics
from batch_nlp.runner.lock_scope import lock_scope
from batch_nlp.runner.settings_check import check_settings
from batch_nlp.runner.stages import run_stages

__all__ = ["candidate_card", "check_settings", "data_state", "hold_out_metrics", "lock_scope", "run_stages"]
