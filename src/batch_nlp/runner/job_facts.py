"""What a sweep records about a job: the state of the data, and the metrics and the card of the trained model."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from batch_nlp.config import Config
from batch_nlp.runner.context import RunContext
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.run_clock import run_name


def data_state(config: Config) -> list[Any]:
    """Return the state of the training data as JSON values: feature version, labels version, labelled messages."""
    run = RunContext.of(config, datetime.now(UTC))
    version = run.definition.version
    return [version, run.store.labels_version(), run.store.count_labelled(version)]


def hold_out_metrics(config: Config, now: datetime) -> dict[str, Any] | None:
    """Return the hold-out metrics of the run that began at `now`; None if it trained nothing."""
    layers = Layers(Path(config.paths.data), config.dataset.name)
    report = layers.reporting / "training" / f"{run_name(now)}.json"
    if not report.exists():
        return None
    metrics: dict[str, Any] = json.loads(report.read_bytes())["metrics"]
    return metrics


def candidate_card(config: Config, now: datetime) -> Path:
    """Return the path of the model card of the run that began at `now`."""
    from batch_nlp.training.card.card_pages import CARD_PAGE

    return Layers(Path(config.paths.data), config.dataset.name).candidates / run_name(now) / CARD_PAGE
