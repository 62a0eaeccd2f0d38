"""The stages `feature`, `training` and `rollback`, and the decisions that they record."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loguru import logger

from batch_nlp.config import EmbeddingBackend
from batch_nlp.dataset.abstain import abstains_as
from batch_nlp.dataset.classes import ClassMap, outcomes_of_model
from batch_nlp.errors import DataError, GateError
from batch_nlp.monitoring.band import check_bands, natural_warning
from batch_nlp.runner.champion import add_champion_features, champion_runs, check_version
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.notifications import notify_training
from batch_nlp.runner.recipe import as_chosen, other_recipe
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.outcomes import outcomes
from batch_nlp.storage.run_clock import run_name
from batch_nlp.tracking.tracked_training import TrackedTraining
from batch_nlp.tracking.tracker import Tracker

# Imported late in what follows: most runs find nothing to train on, or nothing new
if TYPE_CHECKING:
    from batch_nlp.training.gate import GateDecision
    from batch_nlp.training.run import TrainingResult

# With more classes, only the range of the recalls is logged
_NAMED_RECALLS = 10
# Metrics of a candidate in the decision log
_LOGGED_METRICS = ("f1_weighted", "f1_macro", "accuracy", "log_loss", "ece")


def take_in(run: RunContext) -> None:
    """Compute the features of new messages in ``01_raw``, and add their labels."""
    from batch_nlp.feature.run import run_feature_pipeline
    from batch_nlp.steps.embedding.static import take_tables

    if run.config.features.embedding.backend is EmbeddingBackend.static:
        # the project's own data folder may already have the table
        project = Layers(Path(run.config.paths.root) / "data", run.layers.dataset)
        take_tables(project.embedding_cache, run.layers.embedding_cache)
    result = run_feature_pipeline(run.config, run.layers, run.store, run.name, run.now)
    run.left_out.extend(file.name for file in result.set_aside)


def train(run: RunContext) -> float:
    """Train a candidate and record the gate's decision, unless the champion has the same data and settings.

    Returns the selection metric of the candidate, or of the champion if there was nothing new to train on. Raises a
    `GateError` if the candidate failed its gate; the champion stays.
    """
    from batch_nlp.training.origin import training_fingerprint

    config = run.config
    before = run.registry.champion_version()
    completed = config.training.promote is not False and enter_published(run)
    if config.training.promote is not False and (champion := sound_champion(run)):
        asked = as_chosen(config, champion)
        fingerprint = training_fingerprint(asked, run.store, run.definition.version)
        same = champion["training_fingerprint"] == fingerprint
        # forced again, a training that a kill cut short after its publication would only find its own model
        if same and (completed or not config.training.force) and champion_runs(run):
            check_bands(config.drift, outcomes_of_model(champion))
            logger.info("Training: the champion {} was already trained on this data with these settings", before)
            return float(champion["metrics"][config.training.metric])
        if champion["dataset"] == config.dataset.name and (other := other_recipe(asked, str(before), champion)):
            logger.info("Training: {}", other)
    result = train_candidate(run, reason="asked for")
    notify_training(run, result)
    if result.decision is None and config.training.promote is not False:
        window = config.training.window
        logger.warning("Nothing is published: with training.window={}, a model is only measured", window)
    if result.decision is not None and not result.decision.passed:
        raise GateError(
            f"Candidate {result.candidate} failed its gate ({result.decision.failures}); champion: {before}."
        )
    return float(result.metrics[config.training.metric])


def train_candidate(run: RunContext, *, reason: str) -> TrainingResult:
    """Train a candidate, publish it if it passes its gate, and record the gate's decision and the reason to train."""
    from batch_nlp.training.run import run_training_pipeline

    config, version = run.config, run.definition.version
    before = run.registry.champion_version()
    started, clock = datetime.now(UTC), time.perf_counter()
    result = run_training_pipeline(
        config,
        run.layers,
        run.store,
        run.registry,
        run.definition.to_dict(),
        version,
        run.fields,
        run.name,
        run.now,
        # classes that are found in the data are not known earlier
        lambda classes: check_bands(config.drift, outcomes(list(classes), abstains_as(config.training.decision))),
        partial(add_champion_features, run),
    )
    seconds = time.perf_counter() - clock
    metrics = result.metrics
    recalls = [found["recall"] for found in metrics["classes"].values()]
    logger.info(
        "Training: weighted F1 {:.4f}, macro F1 {:.4f}, recalls {}",
        metrics["f1_weighted"],
        metrics["f1_macro"],
        "/".join(f"{recall:.3f}" for recall in recalls)
        if len(recalls) <= _NAMED_RECALLS
        else f"of {len(recalls)} classes from {min(recalls):.3f} to {max(recalls):.3f}",
    )
    try:
        if result.decision is not None:
            _record_gate(run, result, result.decision, reason, before)
    finally:
        # last, and whatever the gate decided: decisions must not wait for a server
        _track(run, result, started, seconds, before)
    return result


def enter_published(run: RunContext) -> bool:
    """Enter the champion in the decision log if the run that published it was killed before it could do so.

    Returns whether there was such a champion.
    """
    version, champion = run.registry.champion_version(), sound_champion(run)
    gates = (found for found in run.decisions.read() if found["decision"] == "gate" and found["passed"])
    if champion is None or version in {found["champion"] for found in gates}:
        return False
    candidate = run_name(datetime.fromisoformat(champion["created_at"]))
    if not (run.layers.candidates / candidate).exists():  # published from another data folder
        return False
    reason = "its run was killed after publishing it"
    logger.warning("The decision log did not name the champion {}, since {}; it does now", version, reason)
    run.decide(
        "gate",
        reason=reason,
        candidate=candidate,
        passed=True,
        checks=champion["gate"],
        not_compared=champion["not_compared"],
        # an earlier release measured fewer
        metrics={name: champion["metrics"][name] for name in _LOGGED_METRICS if name in champion["metrics"]},
        champion_before=next(iter(run.registry.previous()), None),
        champion=version,
    )
    return True


def sound_champion(run: RunContext) -> dict[str, Any] | None:
    """Return the champion's manifest; None without a champion, or for a damaged one, which training replaces."""
    try:
        return run.registry.champion_manifest()
    except DataError as error:
        logger.error("{}", error)
        return None


def _record_gate(
    run: RunContext, result: TrainingResult, decision: GateDecision, reason: str, before: str | None
) -> None:
    run.decide(
        "gate",
        reason=reason,
        candidate=result.candidate,
        passed=decision.passed,
        checks=decision.to_list(),
        not_compared=decision.not_compared,
        metrics={name: result.metrics[name] for name in _LOGGED_METRICS},
        champion_before=before,
        champion=result.version or before,
    )
    for check in decision.checks:
        logger.info("Gate: {}", check)
    if decision.passed:
        logger.info("Gate: passed; the champion is now {} (before: {})", result.version, before)
        _warn_of_band(run)


def _track(run: RunContext, result: TrainingResult, started: datetime, seconds: float, before: str | None) -> None:
    """Report a training and the gate's decision to the tracker."""
    decision = result.decision
    training = TrackedTraining(
        result.candidate,
        started,
        seconds,
        candidate=run.layers.candidates / result.candidate,
        metrics=result.metrics,
        reports=[run.layers.reporting / "training" / f"{result.candidate}.json"],
        passed=decision.passed if decision else None,
        reason=decision.failures if decision else "",
        checks=decision.to_list() if decision else [],
        version=result.version,
        replaced=run.registry.root / before if before else None,
    )
    Tracker(run.config).training(training)


def _warn_of_band(run: RunContext) -> None:
    """Warn at training time if the champion triggers the rule on messages without drift."""
    manifest = run.registry.champion_manifest()
    if manifest is None:
        return
    classes, reference = ClassMap.from_dict(manifest["label_map"]).classes, manifest["reference"]
    predicted = [reference["predicted_shares"][name] for name in classes]
    if warning := natural_warning(run.config.drift, classes, predicted, reference["training_shares"]):
        logger.warning("{}", warning)


def roll_back(run: RunContext) -> None:
    """Make the version before the champion the champion again, and record it."""
    old, new = run.registry.rollback(run.now, partial(check_version, run.registry))
    run.decide("rollback", champion_before=old, champion=new)
    logger.info("Rollback: the champion is {} again (before: {})", new, old)
    Tracker(run.config).rollback(run.registry.root / old, run.registry.root / new)
