"""Records trainings in MLflow: runs, and registered versions with the aliases champion and challenger."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from loguru import logger

from batch_nlp.config import Config
from batch_nlp.tracking.address import Address, address_of, masked, model_name
from batch_nlp.tracking.hydra_job import HydraJob, current_job
from batch_nlp.tracking.mlflow_client import connect, one_at_a_time, quietly
from batch_nlp.tracking.mlflow_versions import manifest_of, register, restore
from batch_nlp.tracking.tracked_training import TrackedTraining, metrics, parameters, tags
from batch_nlp.tracking.tracker import Tracker

# Files of a model folder for people
_READABLE = {".json", ".md", ".html"}
# MLflow's limits: parameters per request, characters per parameter
_BATCH, _LENGTH = 100, 6000

Steps = list[tuple[str, Callable[[], None]]]


class MlflowTracker(Tracker):
    """Records trainings in MLflow; a failure is a warning.

    Parameters
    ----------
    config : Config
        ``config.tracking`` has the address.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.address = address_of(config)

    def training(self, training: TrackedTraining) -> None:
        """Record a training as a run, and a candidate that reached the gate as a version of the registered model."""
        record = _TrainingRecord(self.config, training, self.address)
        steps: Steps = [("the run with its parameters and metrics", record.begin), ("its files", record.add_files)]
        if training.alias:
            version = training.version or f"candidate {training.run}"
            steps.append((f"{version} as {training.alias} of {model_name(self.config)}", record.register))
        steps.append(("the end of the run", record.end))
        if not self._attempt(f"training {training.run}", steps):
            record.give_up()

    def rollback(self, old: Path, new: Path) -> None:
        """Move the alias champion back to the earlier version."""

        def restore_it() -> None:
            client, _ = connect(self.address, self.config.tracking.experiment)
            restore(client, self.config, old, new)

        self._attempt("rollback", [(f"{new.name} as champion again", restore_it)])

    def _attempt(self, what: str, steps: Steps) -> bool:
        """Run the steps. The first failure stops them with a warning that lists what is missing in MLflow."""
        for index, (_, step) in enumerate(steps):
            try:
                with quietly():
                    step()
            except Exception as error:  # noqa: BLE001 tracking never fails a run
                missing = "; ".join(name for name, _ in steps[index:])
                logger.warning(
                    "Tracking: MLflow at {} failed for {} ({}: {}). Missing there: {}. Nothing else is affected.",
                    masked(self.address.uri),
                    what,
                    type(error).__name__,
                    masked(" ".join(str(error).split()))[:300],
                    missing,
                )
                return False
        logger.info("Tracking: recorded {} in MLflow at {}", what, masked(self.address.uri))
        return True


class _TrainingRecord:
    """The record of one training in MLflow."""

    client: Any

    def __init__(self, config: Config, training: TrackedTraining, address: Address) -> None:
        self.config = config
        self.training = training
        self.address = address
        self.job = current_job()
        self.run: Any = None

    def begin(self) -> None:
        """Create the run, with its tags, parameters and metrics."""
        training = self.training
        self.client, experiment = connect(self.address, self.config.tracking.experiment)
        labels = tags(training, manifest_of(training.candidate), self.job)
        if self.job and self.job.sweep:
            labels["mlflow.parentRunId"] = _parent(self.client, experiment, self.job)
        start = round(training.started.timestamp() * 1000)
        name = f"{self.config.model.name} {training.run}"
        self.run = self.client.create_run(experiment, start_time=start, tags=labels, run_name=name)
        entities = import_module("mlflow.entities")
        now = round(time.time() * 1000)
        values = [entities.Metric(name, value, now, 0) for name, value in metrics(training).items()]
        self.client.log_batch(self._id, metrics=values)
        settings = [entities.Param(name, value[:_LENGTH]) for name, value in parameters(self.config).items()]
        for first in range(0, len(settings), _BATCH):
            self.client.log_batch(self._id, params=settings[first : first + _BATCH])

    def add_files(self) -> None:
        """Add the files for people: cards, manifest, reports, the gate's decision, the log."""
        training = self.training
        readable = [path for path in training.candidate.iterdir() if path.suffix in _READABLE]
        logs = [self.job.log] if self.job else []
        for path in (*sorted(readable), *training.reports, *logs):
            if path.is_file():
                self.client.log_artifact(self._id, str(path))
        if training.passed is not None:
            decision = {"passed": training.passed, "reason": training.reason, "checks": training.checks}
            self.client.log_text(self._id, json.dumps(decision, indent=2), "gate.json")

    def register(self) -> None:
        """Register the model folder as a version, and set its alias."""
        register(self.client, self.config, self.training, self.run)

    def end(self) -> None:
        """End the run, and that of its multirun."""
        self.client.set_terminated(self._id, "FINISHED")
        parent = self.run.data.tags.get("mlflow.parentRunId")
        if parent:
            self.client.set_terminated(parent, "FINISHED")

    def give_up(self) -> None:
        """Mark a run with an incomplete record as failed."""
        if self.run is None:
            return
        try:
            with quietly():
                self.client.set_terminated(self._id, "FAILED")
        except Exception as error:  # noqa: BLE001 the warning has been logged already
            logger.debug("MLflow: cannot end the run either ({})", type(error).__name__)

    @property
    def _id(self) -> str:
        return str(self.run.info.run_id)


def _parent(client: Any, experiment: str, job: HydraJob) -> str:
    """Return the parent run of the jobs of a multirun, which the first job creates.

    Its id is kept in the folder of the multirun, for parallel jobs and for a resumed multirun.
    """
    assert job.sweep is not None  # noqa: S101 for the type checker  # nosec B101
    note = job.sweep / ".mlflow_run"
    with one_at_a_time(note):
        known = note.read_text().split()
        if known and known[0] == experiment:
            try:
                return str(client.get_run(known[1]).info.run_id)
            except import_module("mlflow.exceptions").MlflowException:
                pass  # a run of another server
        labels = {"batch_nlp.sweep": job.sweep_name}
        run = client.create_run(experiment, tags=labels, run_name=f"multirun {job.sweep_name}")
        note.write_text(f"{experiment} {run.info.run_id}")
        return str(run.info.run_id)
