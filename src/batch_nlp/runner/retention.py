"""What is kept, and how long: at the end of a run, what settings no longer ask for is removed.

A batch is removed as a whole: first it is entered that it goes, then what it left, and its record last. So a run that
is killed in between leaves a record by which the next one goes on, and nobody takes what is half removed for damage.
"""

from __future__ import annotations

import os
import re
import shutil
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from loguru import logger

from batch_nlp.config import RetentionConfig, Stage
from batch_nlp.errors import DataError, SettingsError
from batch_nlp.inference.past import Past
from batch_nlp.reports.months import remove_from_months
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.reporting import write_batches
from batch_nlp.storage.feature_store import DataVersion
from batch_nlp.storage.manifest import read_manifest
from batch_nlp.storage.requeued import REFUSED, REQUEUED
from batch_nlp.storage.run_clock import run_name
from batch_nlp.storage.samples import remove_old_samples, sample_file
from batch_nlp.storage.sealed_files import remove_sealed

# Of what is too much, a tenth more is removed: then there is nothing to do for a while
_SLACK = 10
# How a run is named, and what it leaves
_RUN = re.compile(r"\d{8}T\d{12}Z")


def check_retention(settings: RetentionConfig) -> None:
    """Raise a `SettingsError` if something would not be kept at all."""
    for name in ("batches", "days", "samples", "runs"):
        value = getattr(settings, name)
        if value is not None and value < 1:
            raise SettingsError(f"retention.{name}={value}: need 1 or more, or null to keep all.")


def tidy(run: RunContext) -> None:
    """Remove what is not to be kept any more; only the holder of the lock may."""
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
    """Remove the batches of the dataset that are too many or too old, and return their names."""
    settings, records = run.config.retention, set(run.batches.names())
    before = past.removed()
    oldest = min(records, default="")
    too_many = settings.batches is not None and len(records) > settings.batches
    if not (too_many or _is_old(oldest, run.now, settings.days) or (oldest and oldest <= before)):
        return []
    own = sorted(records.intersection(past.batches(records)))
    # those that later batches are judged together with stay
    least = min(max(run.config.drift.window, 1), len(own))
    number = sum(name <= before for name in own)
    number = max(number, sum(_is_old(name, run.now, settings.days) for name in own))
    if settings.batches is not None and len(own) > settings.batches:
        number = max(number, len(own) - settings.batches + settings.batches // _SLACK)
    gone = own[: min(number, len(own) - least)]
    if not gone:
        return []
    past.remove(max(gone[-1], before))
    for name in gone:
        _remove_batch(run, name)
    remove_from_months(run.layers.batch_reports)
    if Stage.inference not in run.config.pipeline.stages:  # which writes the index when all is done
        write_batches(run)
    logger.info("Retention: removed {:,} batch(es) up to {}", len(gone), gone[-1])
    return gone


def _remove_batch(run: RunContext, name: str) -> None:
    """Remove all that a batch left, its record last."""
    layers = run.layers
    for ending in (".json", ".html"):
        (layers.batch_reports / f"{name}{ending}").unlink(missing_ok=True)
    if (sample := sample_file(layers, name)).exists():
        remove_sealed([sample])
    for folder in (layers.inference_quarantine, layers.inference_quarantine / REQUEUED):
        for file in folder.glob(f"{name}*.parquet"):  # rows were put back more than once
            file.unlink()
    if (predictions := layers.predictions / name).exists():
        shutil.rmtree(predictions)
    (layers.batches / f"{name}.json").unlink(missing_ok=True)


def _is_old(name: str, now: datetime, days: int | None) -> bool:
    """Say whether a batch or a run named for its time is older than some days."""
    if days is None:
        return False
    try:
        then = datetime.strptime(name[:15] + "+0000", "%Y%m%dT%H%M%S%z")
    except ValueError:
        return False
    return now - then > timedelta(days=days)


def _remove_run_folders(run: RunContext) -> None:
    """Remove the oldest folders of settings and logs, ``runs/<day>/<time>``, and days that are empty then."""
    settings = run.config.retention
    days = sorted(run.layers.runs.glob("????-??-??"))
    folders, number = [f"{day.name}/{name}" for day in days for name in _names(day)], 0
    if settings.runs is not None and len(folders) > settings.runs:
        number = len(folders) - settings.runs + settings.runs // _SLACK
    if settings.days is not None:
        first = f"{run.now - timedelta(days=settings.days):%Y-%m-%d}"
        number = max(number, sum(name < first for name in folders))
    # the newest is this run's own
    for folder in (run.layers.runs / name for name in folders[: min(number, len(folders) - 1)]):
        shutil.rmtree(folder)
        if not any(folder.parent.iterdir()):
            folder.parent.rmdir()


def _names(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries)


def _remove_quarantine(run: RunContext) -> None:
    """Remove rows that were quarantined of no batch: by runs that were refused whole, and by the feature pipeline."""
    settings, layers = run.config.retention, run.layers
    refused = [folder / REFUSED for folder in (layers.feature_quarantine, layers.inference_quarantine)]
    for folder in (*refused, layers.feature_quarantine, layers.feature_quarantine / REQUEUED):
        files = sorted(folder.glob("[!.]*.parquet"))
        too_many = 0
        if settings.batches is not None and len(files) > settings.batches:
            too_many = len(files) - settings.batches + settings.batches // _SLACK
        for place, file in enumerate(files):
            if place < too_many or _is_old(file.name, run.now, settings.days):
                file.unlink()


def _remove_of_trainings(run: RunContext) -> None:
    """Remove splits, predictions and mistakes of all candidates but the newest, and those that are versions now."""
    layers, versions, newest = run.layers, run.registry.versions(), run.config.training.keep_versions
    left = [*layers.model_input.glob("*.parquet"), *layers.model_output.glob("*.parquet")]
    left += (layers.reporting / "training").glob("*/")
    candidates = {path: found[0] for path in left if (found := _RUN.match(path.name))}
    names = sorted(set(candidates.values()))
    if len(names) <= newest + len(versions):  # manifests are not read in vain
        return
    manifests = [_manifest(run, version) for version in versions]
    if None in manifests:
        return
    published = {run_name(datetime.fromisoformat(manifest["created_at"])) for manifest in manifests if manifest}
    for path, name in candidates.items():
        if name not in published.union(names[-newest:]):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _pinned(run: RunContext) -> list[DataVersion] | None:
    """Return the data versions that kept models of the dataset were trained on; None where not all can be told."""
    manifests = [_manifest(run, version) for version in run.registry.versions()]
    if None in manifests:
        return None
    own = (found for found in manifests if found and found["dataset"] == run.config.dataset.name)
    return [DataVersion(**manifest["data_version"]) for manifest in own]


def _manifest(run: RunContext, version: str) -> dict[str, Any] | None:
    try:
        return read_manifest(run.registry.root / version)
    except DataError as error:
        logger.warning("Nothing that it may need is removed, since a model cannot be read: {}", error)
        return None
