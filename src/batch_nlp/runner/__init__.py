"""The runner: one module per stage, the order of the stages, the lock around them, and what follows a verdict.

It may import every room below it, and offers the entry points of the command line; no room below may import it.
"""

from __future__ import annotations

from batch_nlp.runner.context import RunContext
from batch_nlp.runner.lock_scope import lock_scope
from batch_nlp.runner.settings_check import check_settings
from batch_nlp.runner.stages import run_stages

__all__ = ["RunContext", "check_settings", "lock_scope", "run_stages"]
