"""Retention: at its end, a run removes whatever exceeds the limits of the settings.

A batch is removed as a whole: first its removal is recorded, then its files go, and its record goes last. So the next
run can continue after a kill, and nobody mistakes a half-removed batch for damage.
"""

from __future__ import annotations

import re
import shutil
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from loguru import logger

from batch_nlp.config import Stage
from batch_nlp.errors import DataError
from batch_nlp.inference.past import Past
from batch_nlp.reports.months import remove_from_months
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.reporting import write_batches
from batch_nlp.storage.feature_store import DataVersion
from batch_nlp.storage.manifest import read_manifest
from batch_nlp.storage.quarantine import REFUSED, REQUEUED
from batch_nlp.storage.run_clock import run_name
from batch_nlp.storage.samples import remove_old_samples, sample_file
from batch_nlp.storage.seal import remove_sealed

# The part of a limit that is removed beside the excess, so that there is nothing to remove for a while
_SLACK = 10
# Names of runs, and of the files that they leave
_RUN = re.compile(r"\d{8}T\d{12}Z")


def tidy(run: RunContext) -> None:
    """Remove whatever exceeds the limits; only the holder of the lock may."""
    past = run.batches.past(run.config.dataset.name)
    if run.batches.unfinished(run.config.dataset.name) is not None:
        return
    past.merge()
    removed = _remove_batches(run, past)
    if run.config.retention.samples is not None:
        remove_old_samples(run.layers, max(run.config.retention.samples, run.config.drift.window))
    run.decisions.archive(run.config.dataset.name, past.removed(), whole=bool(removed))
    _remove_run_folders(run)
    _remove_quarantine(run)
    _remove_of_trainings(run)
    run.store.compact(partial(_pinned, run))


def _remove_batches(run: RunContext, past: Past) -> list[str]:
    """Remove the oldest batches of the dataset if there are too many or they are too old; return their names."""
    settings, records = run.config.retention, set(run.batches.names())
    before = past.removed()
    oldest = min(records, default="")
    too_many = settings.batches is not None and len(records) > settings.batches
    if not (too_many or _is_old(oldest, run.now, settings.days) or (oldest and oldest <= before)):
        return []
    own = sorted(records.intersection(past.batches(records)))
    # batches that later ones are judged together with stay
    least = min(max(run.config.drift.window, 1), len(own))
    number = sum(name <= before or _is_old(name, run.now, settings.days) for name in own)
    number = max(number, _excess(len(own), settings.batches))
    gone = own[: min(number, len(own) - least)]
    if not gone:
        return []
    past.remove(max(gone[-1], before))
    for name in gone:
        _remove_batch(run, name)
    remove_from_months(run.layers.batch_reports)
    if Stage.inference not in run.config.pipeline.stages:  # which writes the index at its end
        write_batches(run)
    logger.info("Retention: removed {:,} batch(es) up to {}", len(gone), gone[-1])
    return gone


def _remove_batch(run: RunContext, name: str) -> None:
    """Remove all files of a batch, its record last."""
    layers = run.layers
    for ending in (".json", ".html"):
        (layers.batch_reports / f"{name}{ending}").unlink(missing_ok=True)
    if (sample := sample_file(layers, name)).exists():
        remove_sealed([sample])
    for folder in (layers.inference_quarantine, layers.inference_quarantine / REQUEUED):
        for file in folder.glob(f"{name}*.parquet"):  # several if rows were put back more than once
            file.unlink()
    if (predictions := layers.predictions / name).exists():
        shutil.rmtree(predictions)
    (layers.batches / f"{name}.json").unlink(missing_ok=True)


def _excess(number: int, limit: int | None) -> int:
    """Return how many of a number to remove: none up to the limit, and above it a tenth more than the excess."""
    return number - limit + limit // _SLACK if limit is not None and number > limit else 0


def _is_old(name: str, now: datetime, days: int | None) -> bool:
    """Return whether a batch or a run, whose name is its time, is older than some days."""
    if days is None:
        return False
    try:
        then = datetime.strptime(name[:15] + "+0000", "%Y%m%dT%H%M%S%z")
    except ValueError:
        return False
    return now - then > timedelta(days=days)


def _remove_run_folders(run: RunContext) -> None:
    """Remove the oldest folders of settings and logs, ``runs/<day>/<time>``, and days without any."""
    settings = run.config.retention
    folders = sorted(run.layers.runs.glob("????-??-??/*"))
    number = _excess(len(folders), settings.runs)
    if settings.days is not None:
        first = f"{run.now - timedelta(days=settings.days):%Y-%m-%d}"
        number = max(number, sum(folder.parent.name < first for folder in folders))
    # the newest belongs to this run
    for folder in folders[: min(number, len(folders) - 1)]:
        shutil.rmtree(folder)
        if not any(folder.parent.iterdir()):
            folder.parent.rmdir()


def _remove_quarantine(run: RunContext) -> None:
    """Remove quarantined rows of refused runs and of the feature pipeline; those of a batch go with the batch."""
    settings, layers = run.config.retention, run.layers
    refused = [folder / REFUSED for folder in (layers.feature_quarantine, layers.inference_quarantine)]
    for folder in (*refused, layers.feature_quarantine, layers.feature_quarantine / REQUEUED):
        files = sorted(folder.glob("[!.]*.parquet"))
        too_many = _excess(len(files), settings.batches)
        for place, file in enumerate(files):
            if place < too_many or _is_old(file.name, run.now, settings.days):
                file.unlink()


def _remove_of_trainings(run: RunContext) -> None:
    """Remove splits, predictions and mistakes of old candidates that were not published."""
    layers, versions, newest = run.layers, run.registry.versions(), run.config.training.keep_versions
    left = [*layers.model_input.glob("*.parquet"), *layers.model_output.glob("*.parquet")]
    left += (layers.reporting / "training").glob("*/")
    candidates = {path: found[0] for path in left if (found := _RUN.match(path.name))}
    names = sorted(set(candidates.values()))
    if len(names) <= newest + len(versions):  # spares reading the manifests
        return
    if (manifests := _manifests(run)) is None:
        return
    published = {run_name(datetime.fromisoformat(manifest["created_at"])) for manifest in manifests}
    for path, name in candidates.items():
        if name not in published.union(names[-newest:]):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _pinned(run: RunContext) -> list[DataVersion] | None:
    """Return the data versions that kept models of the dataset were trained on; None if a model is unreadable."""
    if (manifests := _manifests(run)) is None:
        return None
    own = (manifest for manifest in manifests if manifest["dataset"] == run.config.dataset.name)
    return [DataVersion(**manifest["data_version"]) for manifest in own]


def _manifests(run: RunContext) -> list[dict[str, Any]] | None:
    """Return the manifests of all versions; None, with a warning, if one is unreadable."""
    try:
        return [read_manifest(run.registry.root / version) for version in run.registry.versions()]
    except DataError as error:
        logger.warning("A model cannot be read, so nothing that it may need is removed: {}", error)
        return None
