"""Runs the training pipeline: trains a candidate on the labelled messages, judges it, and publishes it if it passes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from loguru import logger
from sklearn.pipeline import Pipeline

from batch_nlp.config import Config
from batch_nlp.dataset.abstain import abstains_as
from batch_nlp.dataset.classes import FoundClasses
from batch_nlp.dataset.labels import NO_CLASS, levels_of
from batch_nlp.dataset.split import Parts, rows_at
from batch_nlp.fields import Fields
from batch_nlp.steps.base import diagram
from batch_nlp.storage.atomic import write_json, write_text
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.parquet import write_parquet
from batch_nlp.storage.raw.known_files import check_label
from batch_nlp.storage.registry import Registry
from batch_nlp.storage.scratch import arrays_on_disk, on_disk
from batch_nlp.training.candidate import Candidate, keep_newest
from batch_nlp.training.card.card_facts import card_facts
from batch_nlp.training.card.card_pages import card_pages
from batch_nlp.training.card.statements import leak_in_words
from batch_nlp.training.comparison import AddFeatures, compare_with_champion
from batch_nlp.training.errors_report import ErrorAnalysis, write_error_report
from batch_nlp.training.gate import GateDecision, check_thresholds
from batch_nlp.training.leak import fields_of_source
from batch_nlp.training.model_choice import choose_model
from batch_nlp.training.origin import origin_of, training_fingerprint
from batch_nlp.training.pipeline import build_training_pipeline, fit_pipeline
from batch_nlp.training.prepare import label_sources, prepare


@dataclass(frozen=True)
class TrainingResult:
    """What a run of the training pipeline did."""

    # Name of the run, and of the candidate's folders
    candidate: str
    # Metrics on the hold-out
    metrics: dict[str, Any]
    # The gate's decision; None where the candidate was only to be measured
    decision: GateDecision | None
    # The published version; None where the candidate was not published
    version: str | None


def run_training_pipeline(
    config: Config,
    layers: Layers,
    store: FeatureStore,
    registry: Registry,
    definition: dict[str, Any],
    feature_version: str,
    fields: Fields,
    run: str,
    now: datetime,
    check_classes: Callable[[Sequence[str]], None] | None = None,
    add_features: AddFeatures | None = None,
) -> TrainingResult:
    """Train a candidate on all labelled messages, and publish it if it passes the gate.

    Parameters
    ----------
    config : Config
        All settings; with ``training.promote=false``, the candidate is trained and measured but not published.
    definition : dict
        Definition of the features, stored with the model.
    feature_version : str
        Version of the features to train on.
    check_classes : callable, optional
        Called with the classes as soon as they are known; raises an error if other settings do not allow them.
    add_features : callable, optional
        Computes the features that the champion needs for messages that the two models are compared on.

    Raises
    ------
    DataError
        If labels are missing, or a class has too few messages.
    """
    training, data = config.training, store.data_version(feature_version)
    with room_for_arrays(config, layers, store.count_labelled(feature_version)):
        check_label(store.folder, levels_of(config.dataset.label))
        messages = store.labelled(data)
        found, parts = prepare(config, messages)
        if check_classes is not None:
            check_classes(found.map.classes)
        config, choice = choose_model(config, messages["text"][parts.train].tolist(), len(found.map.classes))
        candidate = _train(config, messages, found, parts, fields, run, layers.checkpoints)
        candidate.write_data(layers)
        _write_quarantine(config, layers, candidate, found)
        write_text(layers.diagrams / "training.html", diagram(candidate.pipeline, "training pipeline"))
        decision, champion = None, None
        if training.promote is not False and training.window == 0:
            checks, not_compared = compare_with_champion(candidate, config, store, registry, add_features)
            champion = registry.champion_version() if checks else None
            decision = GateDecision(check_thresholds(candidate.validation, training.thresholds) + checks, not_compared)
        passed = decision is not None and decision.passed
        refitted = _refit(config, candidate, found, layers.checkpoints) if training.refit and passed else None
        manifest = {
            "created_at": now.isoformat(),
            **origin_of(config, data, training_fingerprint(config, store, feature_version)),
            "model_choice": choice,
            "inputs": [kind.value for kind in config.inputs],
            "classes": candidate.classes,
            **({} if candidate.abstained is None else {"abstained": candidate.abstained}),
            "label_map": found.map.to_dict(),
            "split": parts.to_dict(),
            "label_sources": label_sources(candidate.messages, parts.train),
            "refit": refitted is not None,
            "model_rows": len(candidate.train if refitted is None else candidate.with_class),
            "feature_definition": definition,
            "fields": fields.to_list(),
            **candidate.measurements(),
            "arrays_on_disk": on_disk(),
            "gate": decision.to_list() if decision else None,
            "not_compared": decision.not_compared if decision else "",
        }
        _write_candidate(config, layers, candidate, manifest, champion, refitted)
        published = registry.publish(layers.candidates / run, now, training.keep_versions) if passed else None
        return TrainingResult(run, candidate.metrics, decision, published)


def room_for_arrays(config: Config, layers: Layers, rows: int) -> AbstractContextManager[None]:
    """Return a context for training that keeps large arrays in files if there are too many labelled messages."""
    limit = config.training.rows_in_memory
    if rows <= limit:
        return arrays_on_disk(None)
    logger.info(
        "Training: {:,} labelled messages exceed training.rows_in_memory={:,}; large arrays are kept in {}",
        rows,
        limit,
        layers.model_input,
    )
    return arrays_on_disk(layers.model_input)


def _train(
    config: Config,
    messages: pd.DataFrame,
    found: FoundClasses,
    parts: Parts,
    fields: Fields,
    run: str,
    checkpoints: Path,
) -> Candidate:
    """Fit the pipeline on the training part of the messages."""
    labels = found.labels[parts.train]
    logger.info(
        "Training: {} classes, shares from {:.1%} to {:.1%}",
        len(found.map.classes),
        *labels.value_counts(normalize=True).agg(["min", "max"]),
    )
    start = time.perf_counter()
    pipeline = build_training_pipeline(config, fields, checkpoints)
    fitted_on = rows_at(messages, parts.train)[fields.names]
    outside = rows_at(messages, parts.outside_train)[fields.names]
    fit_pipeline(pipeline, fitted_on, labels.to_numpy(), places=found.places_at(parts.train), outside=outside)
    logger.info("Training: {} fitted in {:.1f} s", config.model.name, time.perf_counter() - start)
    return Candidate(
        run,
        pipeline,
        found.map.classes,
        fields,
        messages,
        found.labels,
        parts.train,
        parts.hold_out,
        found.ranks,
        abstains_as(config.training.decision),
        parts.outside_train,
        parts.outside_hold_out,
    )


def _refit(config: Config, candidate: Candidate, found: FoundClasses, checkpoints: Path) -> Pipeline:
    """Fit a new pipeline on all messages with a class; calibration and decision stay those that were judged."""
    rows, start = candidate.with_class, time.perf_counter()
    pipeline = build_training_pipeline(config, candidate.fields, checkpoints)
    fitted_on = rows_at(candidate.messages, rows)[candidate.fields.names]
    labels, places = candidate.labels[rows].to_numpy(), found.places_at(rows)
    fit_pipeline(pipeline, fitted_on, labels, candidate.classifier, places)
    logger.info("Training: fitted again on all {:,} messages in {:.1f} s", len(rows), time.perf_counter() - start)
    return pipeline


def _write_candidate(
    config: Config,
    layers: Layers,
    candidate: Candidate,
    manifest: dict[str, Any],
    champion: str | None,
    refitted: Pipeline | None,
) -> None:
    """Write the candidate's folder with its card, and the reports on the training."""
    analysis = ErrorAnalysis(candidate)
    facts = card_facts(candidate, manifest, analysis, champion, fields_of_source(config.dataset))
    if leak := leak_in_words(facts):
        logger.warning("Training: {}", leak)
    folder = layers.candidates / candidate.name
    candidate.write(folder, manifest, card_pages(facts), config.drift.sample, refitted)
    candidate.classifier.discard_checkpoints()
    if refitted is not None:
        refitted.steps[-1][1].discard_checkpoints()
    keep_newest(layers.candidates, config.training.keep_versions)
    report = {**manifest, "candidate": candidate.name, "card": facts}
    write_json(layers.reporting / "training" / f"{candidate.name}.json", report)
    logger.info("Training: mistakes and doubtful labels in {}", write_error_report(analysis, layers, candidate.name))


def _write_quarantine(config: Config, layers: Layers, candidate: Candidate, found: FoundClasses) -> None:
    """List the messages left out for a rare or unknown label, if ``dataset.label.rare`` asks for it."""
    inside = candidate.messages["target"].map(found.map.targets) != NO_CLASS
    rows = candidate.messages[["message_id", "target"]][((found.labels < 0) & inside).to_numpy()]
    rare = config.dataset.label.rare
    if rare is None or rare["as"] != "quarantine" or rows.empty:
        return
    counts = rows["target"].map(lambda target: found.rare.get(target, 0)).astype(str)
    reason = "label of " + counts + " messages, rare or not in dataset.label.classes"
    table = pa.table({"message_id": rows["message_id"], "target": rows["target"], "reason": reason})
    write_parquet(layers.model_input / f"{candidate.name}-quarantine.parquet", table)
