"""Sweeps: what each job of a multirun came to, ranked and reported, and resumed where it stopped."""

from __future__ import annotations

from batch_nlp.experiments.record import Job, JobRecord, record_job
from batch_nlp.experiments.sweep import (
    close_sweep,
    job_folder,
    missing_extra,
    sweep_overrides,
    tell_end_of_sweep,
    threads_of_a_job,
)

__all__ = [
    "Job",
    "JobRecord",
    "close_sweep",
    "job_folder",
    "missing_extra",
    "record_job",
    "sweep_overrides",
    "tell_end_of_sweep",
    "threads_of_a_job",
]
