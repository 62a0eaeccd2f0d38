"""A training as a tracker sees it: the job that ran it, and its parameters, metrics and tags."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf

from batch_nlp.config import Config, plain
from batch_nlp.dataset.split import split_of
from batch_nlp.tracking.address import masked

# characters that MLflow does not allow in names; names of classes come from users
_NOT_IN_NAMES = re.compile(r"[^\w\-. /]")
# Paths and addresses say nothing about a model, and may be confidential
_PLACES = ("paths.", "dataset.raw_dir", "inference.inbox", "tracking", "hydra.", "hydra/")


@dataclass(frozen=True)
class HydraJob:
    """The running job."""

    # Folder of its settings and log
    folder: Path
    # Folder of its multirun; None for a single run
    sweep: Path | None
    # Settings on its command line, without paths and addresses
    overrides: list[str]

    @property
    def log(self) -> Path:
        """Path of the log file."""
        return self.folder / "run.log"


def current_job() -> HydraJob | None:
    """Return the running job, None outside of Hydra."""
    if not HydraConfig.initialized():
        return None
    settings = HydraConfig.get()
    # a job set up by hand, in a test or a notebook, may have no folder
    if OmegaConf.is_missing(settings.runtime, "output_dir"):
        return None
    multirun = settings.mode == RunMode.MULTIRUN
    overrides = [text for text in settings.overrides.task if not text.lstrip("+~").startswith(_PLACES)]
    sweep = Path(settings.sweep.dir).absolute() if multirun else None
    return HydraJob(Path(settings.runtime.output_dir), sweep, overrides)


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
    """Return every setting that affects a model, under its name on the command line."""
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
