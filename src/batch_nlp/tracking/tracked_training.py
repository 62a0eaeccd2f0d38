"""A training as a tracker sees it: parameters, metrics and tags, as names and values."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from batch_nlp.config import Config, plain
from batch_nlp.dataset.split import split_of
from batch_nlp.tracking.address import masked
from batch_nlp.tracking.hydra_job import HydraJob

# characters that MLflow does not allow in names; names of classes come from users
_NOT_IN_NAMES = re.compile(r"[^\w\-. /]")


@dataclass(frozen=True)
class TrackedTraining:
    """A finished training, published or not."""

    # Name of the training run
    run: str
    # Start of the training, UTC
    started: datetime
    seconds: float
    # Folder of the candidate, with its manifest
    candidate: Path
    # Metrics on the hold-out; may be nested
    metrics: Mapping[str, Any]
    # Other files about the training
    reports: list[Path] = field(default_factory=list)
    # Whether the gate passed the candidate; None if the gate did not run
    passed: bool | None = None
    # The failed checks, in words
    reason: str = ""
    # All checks of the gate
    checks: list[dict[str, Any]] = field(default_factory=list)
    # The published version; None if nothing was published
    version: str | None = None
    # Folder of the previous champion
    replaced: Path | None = None

    @property
    def alias(self) -> str | None:
        """``champion`` if published, ``challenger`` if the candidate failed the gate, None if it was only measured."""
        if self.version is not None:
            return "champion"
        return "challenger" if self.passed is False else None


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from _flat(item, f"{prefix}.{name}" if prefix else str(name))
    else:
        yield prefix, value


def parameters(config: Config) -> dict[str, str]:
    """Return every setting that a model follows from, under its name on the command line."""
    settings = {
        "seed": config.seed,
        "dataset": {"name": config.dataset.name, "split": split_of(config).value},
        "model": plain(config.model),
        "training": plain(config.training),
        "features": plain(config.features),
    }
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in _flat(settings)}


def metrics(training: TrackedTraining) -> dict[str, float]:
    """Return all metrics that are finite numbers, nested names joined by dots.

    Tables, such as the confusion matrix, are in the manifest.
    """
    values = {**training.metrics, "seconds": training.seconds}
    return {
        _NOT_IN_NAMES.sub("_", name): float(value)
        for name, value in _flat(values)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }


def tags(training: TrackedTraining, manifest: Mapping[str, Any], job: HydraJob | None) -> dict[str, str]:
    """Return the tags by which a run can be found; `manifest` is that of the candidate."""
    found = {
        "run": training.run,
        "dataset": manifest["dataset"],
        "feature_version": manifest["data_version"]["feature_version"],
        "data_version": json.dumps(manifest["data_version"]),
        "training_fingerprint": manifest["training_fingerprint"],
        "manifest": manifest["sha256"],
        "gate": {True: "passed", False: "failed", None: "not asked"}[training.passed],
        "gate_reason": training.reason,
        "version": training.version or "",
        "sweep": job.sweep.name if job and job.sweep else "",
        "overrides": masked(" ".join(job.overrides)) if job and job.sweep else "",
    }
    return {f"batch_nlp.{name}": str(value) for name, value in found.items() if value}
