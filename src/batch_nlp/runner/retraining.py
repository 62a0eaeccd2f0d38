"""The retraining that drift triggers: whether the breaker allows it, with whose settings, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from loguru import logger
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from batch_nlp.config import Config, ModelConfig, RetrainWith, TrainingConfig, parse, plain
from batch_nlp.config.builder import check_steps
from batch_nlp.errors import DataError, SettingsError
from batch_nlp.inference.batch_records import Batch
from batch_nlp.inference.rescoring import rescore, rescored_file
from batch_nlp.monitoring.breaker import Alarm, Labels, Outcome, rule_on
from batch_nlp.monitoring.findings import Action, Analysis, Answer
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.recipe import OF_THE_JOB, as_chosen
from batch_nlp.runner.train import enter_published, sound_champion, take_in, train_candidate
from batch_nlp.storage.registry import Model
from batch_nlp.storage.samples import read_sample, sample_file


def retrain(run: RunContext, batch: Batch, analysis: Analysis, trigger: str) -> Answer:
    """Retrain on all data that has arrived, unless the breaker holds the retraining back.

    `trigger` names the batches that drifted, and why, in words.
    """
    retrainings = (found for found in reversed(run.decisions.read()) if found["decision"] == "retraining")
    done = (found for found in retrainings if found.get("batch") == batch.name and "outcome" in found)
    if (before := next(done, None)) is not None:
        # a second retraining would find nothing new and be reported as a failure
        logger.warning("A killed run has completed the retraining for batch {}: continuing after it", batch.name)
        failed = f"Candidate {before['candidate']} did not become the champion ({before['outcome']})"
        promoted = f"{before['champion']} took the place of {batch.model_version}"
        return _finish(run, batch, before, promoted if before["outcome"] == Outcome.PROMOTED else failed)
    logger.warning("Drift in {}: running feature and training again", trigger)
    take_in(run)
    enter_published(run)
    counts = [share.messages for share in analysis.deciding.shares]
    labels = _labels(run, batch)
    alarm = Alarm(batch.name, counts, str(batch.model_version))
    ruling = rule_on(alarm, labels, run.decisions.read(), run.config.dataset.name, run.config.drift)
    facts = {"batch": batch.name, "trigger": trigger, "data": labels.data, "change": ruling.change}
    if not ruling.allowed:
        now = run.registry.champion_version()
        run.decide("held back", **facts, state=ruling.state.value, reason=ruling.reason, figures=ruling.figures)
        return Answer(Action.HELD_BACK, ruling.reason, None, now, now, figures=ruling.figures)
    outcome, reason, candidate = _train_again(run, batch, trigger, ruling.reason)
    champion = run.registry.champion() if outcome is Outcome.PROMOTED else None
    retraining = {
        **facts,
        "reason": ruling.reason,
        "counts": counts,
        "counts_after": _counts_after(run, batch, analysis, champion),
        "model": batch.model_version,
        "answered": ruling.answered,
        "outcome": outcome.value,
        "candidate": candidate,
        "champion": run.registry.champion_version(),
        "figures": ruling.figures,
    }
    # entered only now, whatever the gate said: a retraining that is killed must not use up the one that is allowed
    run.decide("retraining", **retraining)
    return _finish(run, batch, retraining, reason)


def _train_again(run: RunContext, batch: Batch, trigger: str, why: str) -> tuple[Outcome, str, str | None]:
    """Train a candidate; return the outcome, a sentence about it, and the candidate if this run made one."""
    from batch_nlp.training.origin import training_fingerprint

    before, champion = run.registry.champion_version(), sound_champion(run)
    config = _as_champion(run.config, champion) if champion else run.config
    run = replace(run, config=replace(config, training=replace(config.training, promote=True, window=0)))
    asked = as_chosen(run.config, champion) if champion else run.config
    fingerprint = training_fingerprint(asked, run.store, run.definition.version)
    if champion and before != batch.model_version and champion["training_fingerprint"] == fingerprint:
        logger.warning("No second training: a killed run, or a person, has trained {} on this very data", before)
        return Outcome.PROMOTED, f"{before} took the place of {batch.model_version}", None
    logger.info("Retraining, since {}", why)
    result = train_candidate(run, reason=trigger)
    decision = result.decision
    if decision is not None and decision.passed:
        return Outcome.PROMOTED, f"{result.version} took the place of {before}", result.candidate
    if decision is not None and decision.same_as_champion:
        reason = "The retrained model predicts exactly as the champion does: no new data to learn from has arrived"
        return Outcome.SAME, reason, result.candidate
    reason = f"Candidate {result.candidate} failed its gate ({decision.failures if decision else 'no gate'})"
    return Outcome.REJECTED, reason, result.candidate


def _as_champion(config: Config, champion: dict[str, Any]) -> Config:
    """Return the settings with the champion's seed, model and training, unless ``drift.retrain_with`` keeps the job's.

    If a schedule runs with another model than the one that a person has published, a retraining must not bring the
    schedule's model back.
    """
    if config.drift.retrain_with is RetrainWith.settings or champion["dataset"] != config.dataset.name:
        return config
    try:
        settings = champion["settings"]
        kept = {name: getattr(config.training, name) for name in OF_THE_JOB}
        # a setting that the champion's version of the project did not have is the job's
        merged: Any = OmegaConf.merge(plain(config.training), settings["training"])
        training = replace(parse(TrainingConfig, merged, "training"), **kept)
        check_steps(training.steps, "training.steps of the champion", None)
        return replace(
            config, seed=int(settings["seed"]), model=parse(ModelConfig, settings["model"]), training=training
        )
    except (OmegaConfBaseException, SettingsError, KeyError, TypeError, ValueError) as error:
        logger.warning(
            "This version of the project cannot use the champion's settings ({}: {}). The retraining uses the settings "
            "of this job, as with drift.retrain_with=settings",
            type(error).__name__,
            str(error).partition("\n")[0],
        )
        return config


def _finish(run: RunContext, batch: Batch, retraining: dict[str, Any], reason: str) -> Answer:
    """Do what is left to do after a retraining, and return the answer."""
    promoted, now = retraining["outcome"] == Outcome.PROMOTED, run.registry.champion_version()
    rescores = promoted and run.config.drift.rescore and now == retraining["champion"]
    champion = run.registry.champion() if rescores else None
    return Answer(
        Action.PROMOTED if promoted else Action.REJECTED,
        reason,
        retraining["candidate"],
        str(batch.model_version),
        now,
        _rescore(run, champion, batch) if champion is not None else None,
        retraining["figures"],
    )


def _labels(run: RunContext, batch: Batch) -> Labels:
    """Return the labels that a model can learn from now."""
    version, store = run.definition.version, run.store
    champion = sound_champion(run)

    def since(first: str) -> int:
        # includes batches that retention has removed
        return store.labels.count_in(run.batches.past(batch.dataset).messages.files(), first, batch.name)

    data = [store.label_fingerprint(version), store.count_labelled(version)]
    return Labels(data, int(champion["training_rows"]) if champion else 0, since)


def _counts_after(run: RunContext, batch: Batch, analysis: Analysis, champion: Model | None) -> dict[str, list[int]]:
    """Return what a new champion predicts for the samples of the batches that drifted.

    With these counts the breaker tells a change of the messages from a change of the model. The result is empty if the
    champion reads fields that the samples lack.
    """
    if champion is None:
        return {}
    names = [batch.name] if analysis.deciding is analysis.verdict else analysis.window_batches
    counts = np.zeros(len(champion.outcomes), dtype=np.int64)
    for name in names:
        path = sample_file(run.layers, name)
        if path.exists():
            sample = read_sample(path)
            if not set(champion.fields.names) <= set(sample.columns):
                return {}
            if sample.empty:
                continue
            probabilities = champion.pipeline.predict_proba(sample[champion.fields.names]).astype(np.float64)
            predicted = champion.decide(probabilities)
            counts += np.bincount(predicted, minlength=len(counts))
    return {champion.version: counts.tolist()}


def _rescore(run: RunContext, champion: Model, batch: Batch) -> str | None:
    """Predict the batch that drifted with the new champion as well, and return the file of these predictions."""
    try:
        counts = rescore(run.layers, run.store, champion, batch, run.now.isoformat(), run.config.engine.batch_rows)
    except DataError as error:
        logger.warning("{}", error)
        return None
    name = rescored_file(champion.version)
    logger.info("Rescored: batch {} by {}, classes {}, in {}", batch.name, champion.version, counts, name)
    return name
