"""The nightly job in this process: settings under which every batch drifts, a batch, and the decisions."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.conftest import World
from tests.settings import default

from batch_nlp.config import Config, DriftConfig, PipelineConfig, SampleConfig, Stage
from batch_nlp.errors import DriftError, GateError
from batch_nlp.monitoring.decisions import DecisionLog
from batch_nlp.runner import run_stages
from batch_nlp.sample import deliver_labels, write_batch
from batch_nlp.storage.layers import Layers

START = datetime(2026, 2, 1, tzinfo=UTC)


def nightly(world: World, folder: Path, **drift: Any) -> Config:
    """Return settings under which every batch drifts, on a copy of the world after its first training."""
    shutil.copytree(world.layers.root, folder / "data", symlinks=True)
    shutil.copytree(world.registry.root, folder / "models")
    shutil.copytree(world.config.dataset.raw_dir, folder / "raw")
    base = world.config
    return replace(
        base,
        paths=replace(base.paths, data=str(folder / "data"), models=str(folder / "models")),
        dataset=replace(base.dataset, raw_dir=str(folder / "raw")),
        inference=replace(base.inference, inbox=str(folder / "inbox")),
        pipeline=default(PipelineConfig, name="inference", stages=[Stage.inference]),
        drift=default(DriftConfig, **{"low": 0.33, "min_messages": 10, **drift}),
    )


def layers(config: Config) -> Layers:
    return Layers(Path(config.paths.data), config.dataset.name)


def night(config: Config, number: int, messages: int = 30, **sample: Any) -> int:
    """Run the nightly job on a new batch and return its exit code."""
    pending = layers(config).pending_labels
    write_batch(
        Path(config.inference.inbox), pending, default(SampleConfig, messages=800, batch_messages=messages, **sample)
    )
    try:
        run_stages(config, START + timedelta(days=number))
    except (DriftError, GateError) as error:
        return int(error.exit_code)
    return 0


def labels_arrive(config: Config) -> None:
    deliver_labels(layers(config).pending_labels, Path(config.dataset.raw_dir))


def decisions(config: Config, kind: str | None = None) -> list[dict[str, Any]]:
    found = DecisionLog(layers(config).decisions).read()
    return [decision for decision in found if kind in (None, decision["decision"])]
