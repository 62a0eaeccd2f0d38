"""What a person, and the programs that watch for a person, see of batches and their verdicts."""

from __future__ import annotations

from batch_nlp.monitoring.report.document import champion_history
from batch_nlp.monitoring.report.metrics import write_metrics, write_run_metrics
from batch_nlp.monitoring.report.pages import read_reports, write_batch_report, write_index
from batch_nlp.monitoring.report.terminal import show_verdict

__all__ = [
    "champion_history",
    "read_reports",
    "show_verdict",
    "write_batch_report",
    "write_index",
    "write_metrics",
    "write_run_metrics",
]
