"""The retraining policies. The real runner runs each of them in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from batch_nlp.config import (
    Config,
    DriftResponse,
    NotifyFormat,
    PipelineConfig,
    Policy,
    Stage,
    ThresholdsConfig,
    TrackingBackend,
)
from batch_nlp.errors import BatchNlpError, DriftError, ExitCode, GateError
from batch_nlp.inference.batch_records import PREDICTIONS_FILE
from batch_nlp.log import in_the_background
from batch_nlp.monitoring.breaker import Outcome
from batch_nlp.monitoring.decisions import DecisionLog
from batch_nlp.monitoring.findings import Status
from batch_nlp.simulation.messages import Messages
from batch_nlp.simulation.scenarios import simulated_classes
from batch_nlp.simulation.simulation_result import DayResult
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.registry import Registry

# Runs the stages of given settings at a given time; the runner passes it in
RunStages = Callable[[Config, datetime], float | None]


def settings_in(config: Config, folder: Path, messages: Messages, *stages: Stage) -> Config:
    """Return settings that run the stages, keep data and models within a folder, and send no notifications."""
    return replace(
        config,
        paths=replace(config.paths, data=str(folder / "data"), models=str(folder / "models")),
        pipeline=PipelineConfig("-".join(stage.value for stage in stages), list(stages), []),
        dataset=replace(config.dataset, raw_dir=str(messages.raw)),
        inference=replace(config.inference, inbox=str(messages.inbox)),
        # each day reads all decisions
        retention=replace(config.retention, batches=None, days=None, runs=None),
        training=replace(config.training, promote=True, force=False, window=0),
        tracking=replace(config.tracking, backend=TrackingBackend.none),
        notify=replace(config.notify, format=NotifyFormat.none),
    )


class System:
    """A system that follows a policy in a folder that has the features and the first champion of the history.

    The policy `rule` is the user's settings, unchanged.
    """

    def __init__(self, policy: Policy, config: Config, folder: Path, messages: Messages, run_stages: RunStages) -> None:
        self.policy = policy
        self._run_stages = run_stages
        self._inference = settings_in(config, folder, messages, Stage.inference)
        if policy is not Policy.rule:
            drift = replace(config.drift, response=DriftResponse.none)
            self._inference = replace(self._inference, drift=drift)
        self._training = _without_a_gate(settings_in(config, folder, messages, Stage.feature, Stage.training))
        self._layers = Layers(Path(self._inference.paths.data), config.dataset.name)
        self._registry = Registry(Path(self._inference.paths.models))
        self._decisions = DecisionLog(self._layers.decisions)
        self._read = len(self._decisions.read())
        # a message without a class counts as a mistake
        self._outcomes = len(simulated_classes(config).classes) + (config.training.decision.abstain is not None)

    def live(self, day: int, now: datetime, truth: dict[str, int]) -> DayResult:
        """Run one day under the policy; `truth` has the true class of each message in its batch.

        Drift without a response and candidates that fail the gate are results; any other error is raised.
        """
        with in_the_background():
            exit_code = self._attempt(self._inference, now)
            if self.policy is Policy.always:
                exit_code = max(exit_code, self._attempt(self._training, now + timedelta(hours=1)))
        decisions = self._decisions.read()
        new, self._read = decisions[self._read :], len(decisions)
        return self._result(day, exit_code, new, truth)

    def _attempt(self, config: Config, now: datetime) -> int:
        try:
            self._run_stages(config, now)
        except (DriftError, GateError) as error:
            return int(error.exit_code)
        return int(ExitCode.DONE)

    def _result(self, day: int, exit_code: int, decisions: list[dict[str, Any]], truth: dict[str, int]) -> DayResult:
        batches, gates = ([one for one in decisions if one["decision"] == kind] for kind in ("batch", "gate"))
        counts = np.zeros((self._outcomes, self._outcomes), dtype=np.int64)
        for batch in batches:
            if batch["batch"] is not None:
                self._count(batch["batch"], truth, counts)
        return DayResult(
            day=day,
            exit_code=exit_code,
            verdict=str(batches[-1]["verdict"]["status"]) if batches else Status.SKIPPED.value,
            trainings=len(gates),
            promotions=sum(bool(gate["passed"]) for gate in gates),
            same=sum(one["decision"] == "retraining" and one.get("outcome") == Outcome.SAME for one in decisions),
            held_back=any(one["decision"] == "held back" for one in decisions),
            champion=str(self._registry.champion_version()),
            confusion=counts.tolist(),
        )

    def _count(self, batch: str, truth: dict[str, int], counts: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        """Add the messages of a batch by true and predicted class; second predictions replace the first."""
        folder = self._layers.predictions / batch
        second = (file for file in folder.glob("[!.]*.parquet") if file.name != PREDICTIONS_FILE)
        predicted = pq.read_table(next(second, folder / PREDICTIONS_FILE), columns=["message_id", "predicted_class"])
        for message, found in zip(*predicted.to_pydict().values(), strict=True):
            if message in truth:
                counts[truth[message], found] += 1


def _without_a_gate(config: Config) -> Config:
    """Return settings that publish every candidate."""
    gate = replace(config.training.gate, tolerance=None, max_recall_drop=None)
    training = replace(config.training, force=True, gate=gate, thresholds=ThresholdsConfig(0.0, None, None))
    return replace(config, training=training)


def first_champion(config: Config, folder: Path, messages: Messages, now: datetime, run_stages: RunStages) -> None:
    """Read the history and train the first champion, which all policies share; any error says that it is of day 0."""
    layers = Layers(Path(config.paths.data), config.dataset.name)
    cache = Layers(folder / "data", config.dataset.name).embedding_cache
    cache.mkdir(parents=True)
    # share the table of token vectors; vectors of messages are not shared, since a run writes to their file
    for table in layers.embedding_cache.glob("[!.]*.safetensors") if layers.embedding_cache.is_dir() else ():
        (cache / table.name).symlink_to(table.resolve())
    with in_the_background():
        try:
            run_stages(settings_in(config, folder, messages, Stage.feature, Stage.training), now)
        except BatchNlpError as error:
            raise type(error)(f"Day 0, before the first batch of the simulation: {error}") from error
