"""Records the result of each job of a sweep, whether it succeeds or fails."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
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


class JobRecord:
    """A running job of a sweep: its folder, which gets the result, and what is known about it.

    `settings` are all settings, interpolations unresolved; `overrides` are those of the command line.
    """

    def __init__(self, folder: Path, number: int, overrides: list[str], settings: Mapping[str, Any]) -> None:
        self.folder = folder
        self._number, self._overrides = number, overrides
        self._fingerprint, self._group = fingerprint(settings), fingerprint(settings, without=REPEATS)
        self._start = time.perf_counter()
        self._done: JobResult | None = None
        self._facts: dict[str, Any] = {}

    def begin(self) -> None:
        """Restart the clock once the job no longer waits for the lock."""
        self._start = time.perf_counter()

    def done_before(self, data: list[Any]) -> float | None:
        """Return the value of an earlier job of this sweep with the same settings and state of the labelled data."""
        before = read_result(self.folder)
        if before is None or not before.ok or before.fingerprint != self._fingerprint or before.data != data:
            # if this job is killed, no stale result may remain
            (self.folder / RESULT_FILE).unlink(missing_ok=True)
            return None
        logger.info("Job {}: done before ({}), not run again", self._number, before.finished_at[:19])
        self._done = before
        return before.value

    def note(
        self, run: str, data: list[Any], metric: str, metrics: Mapping[str, Any] | None, card: Path | None = None
    ) -> None:
        """Record the measurements of a training run; `metrics` are None if nothing was trained.

        The job keeps a copy of the page of the model card, since only the newest candidates keep their folders.
        """
        if card is not None and card.is_file():
            from batch_nlp.reports.pages import with_link_home

            home = os.path.relpath(card.parents[3] / "08_reporting" / "index.html", self.folder)
            persist(self.folder / CARD_FILE, with_link_home(card.read_text(encoding="utf-8"), home))
        flat = flat_metrics(metrics or {})
        self._facts = {
            "run": run,
            "data": data,
            "metric": metric,
            "value": flat.get(metric),
            "interval": _interval(metrics, metric) if metrics and metric in flat else None,
            "metrics": flat,
        }

    def result(self, value: float | None, error: Exception | None) -> JobResult:
        """Return the result of the job, which returned `value` to the sweeper or failed with `error`."""
        if self._done is not None and error is None:
            return replace(self._done, number=self._number, overrides=self._overrides)
        facts = dict(self._facts)
        if facts.get("value") is None:
            facts["value"] = value if value is not None and math.isfinite(value) else None
        # errors of ours are sentences; of others, the type says more
        reason = str(error) if isinstance(error, BatchNlpError) else f"{type(error).__name__}: {error}"
        return JobResult(
            number=self._number,
            overrides=self._overrides,
            fingerprint=self._fingerprint,
            group=self._group,
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


def record_job(record: JobRecord, work: Callable[[JobRecord], float | None]) -> float | None:
    """Run a job of a sweep with `work`, which logs its errors, and write the result.

    Returns what `work` returns; None if it failed. Errors are not raised, so that the other jobs run; the report at the
    end of the sweep lists them.
    """
    value: float | None = None
    failure: Exception | None = None
    try:
        value = work(record)
    except Exception as error:  # noqa: BLE001 any error is the job's result
        failure = error
    record.result(value, failure).write(record.folder)
    return value
