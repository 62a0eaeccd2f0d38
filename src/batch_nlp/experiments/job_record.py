"""Keeps what a job of a sweep comes to, whatever happens to it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loguru import logger

from batch_nlp.errors import BatchNlpError, ExitCode
from batch_nlp.experiments.job_result import REPEATS, RESULT_FILE, JobResult, fingerprint, flat_metrics, read_result


@dataclass(frozen=True)
class Job:
    """A job of a sweep."""

    folder: Path
    number: int
    # Settings given for it
    overrides: list[str]
    # All its settings, interpolations unresolved
    settings: Mapping[str, Any]


class JobRecord:
    """What is known of a job while it works.

    Parameters
    ----------
    job : Job
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.fingerprint = fingerprint(job.settings)
        self._start = time.perf_counter()
        self._done: JobResult | None = None
        self._facts: dict[str, Any] = {}

    def begin(self) -> None:
        """Count the seconds from now on: the job has waited for its turn."""
        self._start = time.perf_counter()

    def done_before(self, data: list[Any]) -> float | None:
        """Return the value of an earlier job of this sweep with the same settings on the same data; None without.

        Parameters
        ----------
        data : list
            State of the labelled data, as JSON values.
        """
        before = read_result(self.job.folder)
        if before is None or not before.ok or before.fingerprint != self.fingerprint or before.data != data:
            # if this job is killed, nothing may look like its result
            (self.job.folder / RESULT_FILE).unlink(missing_ok=True)
            return None
        logger.info("Job {}: done before ({}), not run again", self.job.number, before.finished_at[:19])
        self._done = before
        return before.value

    def note(self, run: str, data: list[Any], metric: str, metrics: Mapping[str, Any] | None) -> None:
        """Note what a training run measured.

        Parameters
        ----------
        run : str
            Name of the run.
        data : list
            State of the labelled data, as JSON values.
        metric : str
            Name of the metric that selects models.
        metrics : mapping or None
            Metrics on the hold-out; None where nothing was trained.
        """
        flat = flat_metrics(metrics or {})
        self._facts = {"run": run, "data": data, "metric": metric, "value": flat.get(metric), "metrics": flat}

    def result(self, value: float | None, error: Exception | None) -> JobResult:
        """Return what the job came to.

        Parameters
        ----------
        value : float or None
            What it returned, for sweepers.
        error : Exception or None
            Why it failed.
        """
        job = self.job
        if self._done is not None and error is None:
            return replace(self._done, number=job.number, overrides=job.overrides)
        facts = dict(self._facts)
        if facts.get("value") is None:
            facts["value"] = value if value is not None and math.isfinite(value) else None
        told = isinstance(error, BatchNlpError)
        return JobResult(
            number=job.number,
            overrides=job.overrides,
            fingerprint=self.fingerprint,
            group=fingerprint(job.settings, without=REPEATS),
            status="failed" if error else "ok",
            finished_at=datetime.now(UTC).isoformat(),
            seconds=round(time.perf_counter() - self._start, 3),
            error=None if error is None else str(error) if told else f"{type(error).__name__}: {error}",
            exit_code=int(getattr(error, "exit_code", ExitCode.BUG)) if error else ExitCode.DONE,
            **facts,
        )


def record_job(job: Job, work: Callable[[JobRecord], float | None]) -> float | None:
    """Do a job of a sweep and leave its result in its folder.

    Parameters
    ----------
    job : Job
    work : callable
        Does it, and tells its errors.

    Returns
    -------
    float or None
        What `work` returns; None when it failed. An error does not go on from here: the other jobs must have their
        turn, and the sweep's end tells all that failed.
    """
    record = JobRecord(job)
    value: float | None = None
    failure: Exception | None = None
    try:
        value = work(record)
    except Exception as error:  # noqa: BLE001 whatever it is, it is the job's result
        failure = error
    record.result(value, failure).write(job.folder)
    return value
