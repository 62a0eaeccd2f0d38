"""Records trainings in MLflow: runs, and registered versions with the aliases champion and challenger."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from loguru import logger

from batch_nlp.config import Config, TrackingBackend
from batch_nlp.tracking.address import address_of, masked, model_name
from batch_nlp.tracking.mlflow_client import connect, one_at_a_time, quietly
from batch_nlp.tracking.mlflow_versions import manifest_of, register, restore
from batch_nlp.tracking.tracked_training import HydraJob, TrackedTraining, current_job, metrics, parameters, tags

# Files of a model folder for people
_READABLE = {".json", ".md", ".html"}
# MLflow's limits: parameters per request, characters per parameter
_BATCH, _LENGTH = 100, 6000


class Tracker:
    """Records trainings in MLflow if ``tracking.backend`` is mlflow.

    A failure is a warning, since a training is worth more than its record elsewhere.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.address = address_of(config)

    @cached_property
    def job(self) -> HydraJob | None:
        """The running job."""
        return current_job()

    def training(self, training: TrackedTraining) -> None:
        """Record a training as a run, and a candidate that reached the gate as a version of the registered model."""
        missing = ["the run with its parameters and metrics", "its files", "the end of the run"]
        if training.alias:
            version = training.version or f"candidate {training.run}"
            missing.insert(2, f"{version} as {training.alias} of {model_name(self.config)}")
        self._attempt(f"training {training.run}", missing, lambda: self._record(training, missing))

    def rollback(self, old: Path, new: Path) -> None:
        """Move the alias champion back to the version in the folder `new`."""

        def move() -> None:
            client, _ = connect(self.address, self.config.tracking.experiment)
            restore(client, self.config, old, new)

        self._attempt("rollback", [f"{new.name} as champion again"], move)

    def _attempt(self, what: str, missing: list[str], work: Callable[[], None]) -> None:
        """Do the work; turn an error into a warning that lists what is missing in MLflow."""
        if self.config.tracking.backend is TrackingBackend.none:
            return
        address = masked(self.address.uri)
        try:
            with quietly():
                work()
        except Exception as error:  # noqa: BLE001 tracking never fails a run
            logger.warning(
                "Tracking: MLflow at {} failed for {} ({}: {}). Missing there: {}. Nothing else is affected.",
                address,
                what,
                type(error).__name__,
                masked(" ".join(str(error).split()))[:300],
                "; ".join(missing),
            )
        else:
            logger.info("Tracking: recorded {} in MLflow at {}", what, address)

    def _record(self, training: TrackedTraining, missing: list[str]) -> None:
        """Record a training step by step, and remove each completed step from `missing`."""
        client, experiment = connect(self.address, self.config.tracking.experiment)
        run = self._create_run(client, experiment, training)
        id_, parent = run.info.run_id, run.data.tags.get("mlflow.parentRunId")
        try:
            self._log_values(client, id_, training)
            del missing[0]
            self._add_files(client, id_, training)
            del missing[0]
            if training.alias:
                register(client, self.config, training, run)
                del missing[0]
            for ended in filter(None, (id_, parent)):
                client.set_terminated(ended, "FINISHED")
        except Exception:
            try:
                client.set_terminated(id_, "FAILED")
            except Exception as error:  # noqa: BLE001 the first error says more
                logger.debug("MLflow: cannot end the run either ({})", type(error).__name__)
            raise

    def _create_run(self, client: Any, experiment: str, training: TrackedTraining) -> Any:
        labels = tags(training, manifest_of(training.candidate), self.job)
        if self.job and self.job.sweep:
            labels["mlflow.parentRunId"] = _parent(client, experiment, self.job.sweep)
        start = round(training.started.timestamp() * 1000)
        name = f"{self.config.model.name} {training.run}"
        return client.create_run(experiment, start_time=start, tags=labels, run_name=name)

    def _log_values(self, client: Any, id_: str, training: TrackedTraining) -> None:
        entities, now = import_module("mlflow.entities"), round(time.time() * 1000)
        values = [entities.Metric(name, value, now, 0) for name, value in metrics(training).items()]
        client.log_batch(id_, metrics=values)
        settings = [entities.Param(name, value[:_LENGTH]) for name, value in parameters(self.config).items()]
        for first in range(0, len(settings), _BATCH):
            client.log_batch(id_, params=settings[first : first + _BATCH])

    def _add_files(self, client: Any, id_: str, training: TrackedTraining) -> None:
        """Add the files for people: cards, manifest, reports, the gate's decision, the log."""
        readable = [path for path in training.candidate.iterdir() if path.suffix in _READABLE]
        logs = [self.job.log] if self.job else []
        for path in (*sorted(readable), *training.reports, *logs):
            if path.is_file():
                client.log_artifact(id_, str(path))
        if training.passed is not None:
            decision = {"passed": training.passed, "reason": training.reason, "checks": training.checks}
            client.log_text(id_, json.dumps(decision, indent=2), "gate.json")


def _parent(client: Any, experiment: str, sweep: Path) -> str:
    """Return the parent run of the jobs of a multirun, which the first job creates.

    Its id is kept in the folder of the multirun, for parallel jobs and for a resumed multirun.
    """
    note = sweep / ".mlflow_run"
    with one_at_a_time(note):
        known = note.read_text().split()
        if known and known[0] == experiment:
            try:
                return str(client.get_run(known[1]).info.run_id)
            except import_module("mlflow.exceptions").MlflowException:
                pass  # a run of another server
        run = client.create_run(experiment, tags={"batch_nlp.sweep": sweep.name}, run_name=f"multirun {sweep.name}")
        note.write_text(f"{experiment} {run.info.run_id}")
        return str(run.info.run_id)
