"""Records the result of each job of a sweep, whether it succeeds or fails."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loguru import logger

from batch_nlp.errors import BatchNlpError, ExitCode
from batch_nlp.experiments.job_result import (
    CARD_FILE,
    REPEATS,
    RESULT_FILE,
    JobResult,
    fingerprint,
    flat_metrics,
    persist,
    read_result,
)


@dataclass(frozen=True)
class SweepJob:
    """A job of a sweep."""

    folder: Path
    number: int
    # Settings given on the command line
    overrides: list[str]
    # All settings, interpolations unresolved
    settings: Mapping[str, Any]


class JobRecord:
    """What is known about a running job.

    Parameters
    ----------
    job : SweepJob
    """

    def __init__(self, job: SweepJob) -> None:
        self.job = job
        self.fingerprint = fingerprint(job.settings)
        self._start = time.perf_counter()
        self._done: JobResult | None = None
        self._facts: dict[str, Any] = {}

    def begin(self) -> None:
        """Restart the clock once the job no longer waits for the lock."""
        self._start = time.perf_counter()

    def done_before(self, data: list[Any]) -> float | None:
        """Return the value of an earlier job of this sweep with the same settings and data; None if there is none.

        Parameters
        ----------
        data : list
            State of the labelled data, as JSON values.
        """
        before = read_result(self.job.folder)
        if before is None or not before.ok or before.fingerprint != self.fingerprint or before.data != data:
            # if this job is killed, no stale result may remain
            (self.job.folder / RESULT_FILE).unlink(missing_ok=True)
            return None
        logger.info("Job {}: done before ({}), not run again", self.job.number, before.finished_at[:19])
        self._done = before
        return before.value

    def note(
        self, run: str, data: list[Any], metric: str, metrics: Mapping[str, Any] | None, card: Path | None = None
    ) -> None:
        """Record the measurements of a training run.

        Parameters
        ----------
        run : str
            Name of the run.
        data : list
            State of the labelled data, as JSON values.
        metric : str
            Name of the metric that selects models.
        metrics : mapping or None
            Metrics on the hold-out; None if nothing was trained.
        card : Path, optional
            Page of the model card. The job keeps a copy, since only the newest candidates keep their folders.
        """
        if card is not None and card.is_file():
            from batch_nlp.reports.pages import with_link_home

            home = os.path.relpath(card.parents[3] / "08_reporting" / "index.html", self.job.folder)
            persist(self.job.folder / CARD_FILE, with_link_home(card.read_text(encoding="utf-8"), home))
        flat = flat_metrics(metrics or {})
        value = flat.get(metric)
        interval = _interval(metrics or {}, metric) if value is not None else None
        facts = {"run": run, "data": data, "metric": metric, "value": value, "interval": interval, "metrics": flat}
        self._facts = facts

    def result(self, value: float | None, error: Exception | None) -> JobResult:
        """Return the result of the job.

        Parameters
        ----------
        value : float or None
            What the job returned to the sweeper.
        error : Exception or None
            Why the job failed.
        """
        job = self.job
        if self._done is not None and error is None:
            return replace(self._done, number=job.number, overrides=job.overrides)
        facts = dict(self._facts)
        if facts.get("value") is None:
            facts["value"] = value if value is not None and math.isfinite(value) else None
        # errors of ours are sentences; of others, the type says more
        reason = str(error) if isinstance(error, BatchNlpError) else f"{type(error).__name__}: {error}"
        return JobResult(
            number=job.number,
            overrides=job.overrides,
            fingerprint=self.fingerprint,
            group=fingerprint(job.settings, without=REPEATS),
            status="failed" if error else "ok",
            finished_at=datetime.now(UTC).isoformat(),
            seconds=round(time.perf_counter() - self._start, 3),
            error=reason if error else None,
            exit_code=int(getattr(error, "exit_code", ExitCode.BUG)) if error else ExitCode.DONE,
            **facts,
        )


def _interval(metrics: Mapping[str, Any], metric: str) -> list[float] | None:
    """Return the interval of the selection metric over the held-out messages; None without a confusion matrix."""
    # imported late: the command line imports this module, and SciPy comes with it
    import numpy as np

    from batch_nlp.metrics.bootstrap import with_intervals

    if "confusion" not in metrics:
        return None
    found = with_intervals(np.array(metrics["confusion"], dtype=np.int64), seed=0)[metric]
    return None if found["low"] is None else [found["low"], found["high"]]


def record_job(job: SweepJob, work: Callable[[JobRecord], float | None]) -> float | None:
    """Run a job of a sweep and write its result to its folder.

    Parameters
    ----------
    job : SweepJob
    work : callable
        Runs the job and logs its errors.

    Returns
    -------
    float or None
        What `work` returns; None if it failed. Errors are not raised, so that the other jobs run; the report at the
        end of the sweep lists them.
    """
    record = JobRecord(job)
    value: float | None = None
    failure: Exception | None = None
    try:
        value = work(record)
    except Exception as error:  # noqa: BLE001 any error is the job's result
        failure = error
    record.result(value, failure).write(job.folder)
    return value
