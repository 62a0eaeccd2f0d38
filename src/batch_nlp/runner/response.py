"""What follows from a verdict: a retraining, new predictions for other class shares, or an alert."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from loguru import logger
from omegaconf.errors import OmegaConfBaseException

from batch_nlp.config import Config, DriftResponse, ModelConfig, RetrainWith, TrainingConfig, parse
from batch_nlp.config.builder import check_steps
from batch_nlp.errors import DataError, DriftError, GateError, SettingsError
from batch_nlp.inference.batch_records import Batch
from batch_nlp.inference.rescoring import REWEIGHTED_FILE, predict_reweighted, rescore, rescored_file
from batch_nlp.monitoring.analysis import Analysis
from batch_nlp.monitoring.answer import Action, Answer
from batch_nlp.monitoring.breaker import Alarm, Labels, Outcome, rule_on
from batch_nlp.monitoring.rules import MOST_CLASSES
from batch_nlp.monitoring.verdict import Status
from batch_nlp.runner.context import Run
from batch_nlp.runner.recipe import OF_THE_JOB
from batch_nlp.runner.training import sound_champion, take_in, train_candidate
from batch_nlp.storage.registry import Model
from batch_nlp.storage.samples import read_sample, sample_file


def respond(run: Run, batch: Batch, analysis: Analysis) -> Answer:
    """Act on the verdict on a batch that is scored and judged, as the settings say, and return what was done.

    Raises
    ------
    BatchNlpError
        If a retraining ended with an error other than a refused candidate.
    """
    if analysis.deciding.status is not Status.DRIFT:
        return Answer(Action.NONE)
    response, reason = response_of(run.config)
    if response is DriftResponse.none:
        return Answer(Action.NONE, reason)
    if response is DriftResponse.alert:
        return Answer(Action.ALERT, reason)
    if response is DriftResponse.reweight:
        return _reweight(run, batch, analysis)
    return _retrain(run, batch, analysis)


def response_of(config: Config) -> tuple[DriftResponse, str]:
    """Return what follows drift, and why: without labels or a champion of its own, a dataset can only be told of it."""
    asked = config.drift.response
    if asked is DriftResponse.retrain and config.dataset.label.column is None:
        return DriftResponse.alert, f"messages of dataset {config.dataset.name} have no labels to retrain on"
    if asked is DriftResponse.retrain and config.inference.champion_of is not None:
        return DriftResponse.alert, f"the champion is that of dataset {config.inference.champion_of}"
    return asked, f"drift.response={asked.value}"


def raise_for(batch: Batch, analysis: Analysis, answer: Answer) -> None:
    """Give an answer that a scheduler must hear of its exit code.

    Raises
    ------
    DriftError
        If nothing was done about drift.
    GateError
        If a retraining gave no new champion.
    """
    trigger = _trigger(batch, analysis)
    if answer.action is Action.ALERT:
        raise DriftError(f"Drift in {trigger}. Nothing was done about it, since {answer.reason}.")
    if answer.action is Action.HELD_BACK:
        raise DriftError(f"Drift in {trigger}. No retraining, since {answer.reason}. Bring labels of newer messages.")
    if answer.action is Action.REJECTED:
        raise GateError(f"Drift in {trigger}. {answer.reason}; champion: {answer.champion}.")


def _trigger(batch: Batch, analysis: Analysis) -> str:
    what = (
        "batch" if analysis.deciding is analysis.verdict else f"the last {len(analysis.window_batches)} batches up to"
    )
    return f"{what} {batch.name}: {analysis.deciding.reason}"


def _retrain(run: Run, batch: Batch, analysis: Analysis) -> Answer:
    """Retrain on everything that has arrived, unless the breaker holds it back."""
    trigger, dataset = _trigger(batch, analysis), run.config.dataset.name
    if (over := _retrained_before(run, batch)) is not None:
        return _go_on(run, batch, over)
    logger.warning("Drift in {}: feature and training run again", trigger)
    take_in(run)
    counts = [share.messages for share in analysis.deciding.shares]
    labels = _labels(run, batch)
    ruling = rule_on(
        Alarm(batch.name, counts, str(batch.model_version)), labels, run.decisions.read(), dataset, run.config.drift
    )
    before = run.registry.champion_version()
    if not ruling.allowed:
        run.decide(
            "held back",
            batch=batch.name,
            trigger=trigger,
            data=labels.data,
            change=ruling.change,
            state=ruling.state.value,
            reason=ruling.reason,
            figures=ruling.figures,
        )
        return Answer(Action.HELD_BACK, ruling.reason, None, before, before, figures=ruling.figures)
    outcome, reason, candidate = _train_again(run, batch, trigger, ruling.reason)
    champion = run.registry.champion() if outcome is Outcome.PROMOTED else None
    # entered when it is over, whatever the gate said: one that was killed must not count as the one that is allowed
    run.decide(
        "retraining",
        batch=batch.name,
        trigger=trigger,
        reason=ruling.reason,
        data=labels.data,
        counts=counts,
        counts_after=_counts_after(run, batch, analysis, champion),
        model=batch.model_version,
        change=ruling.change,
        answered=ruling.answered,
        outcome=outcome.value,
        candidate=candidate,
        champion=run.registry.champion_version(),
        figures=ruling.figures,
    )
    action = Action.PROMOTED if outcome is Outcome.PROMOTED else Action.REJECTED
    second = _rescore(run, champion, batch) if champion is not None and run.config.drift.rescore else None
    now = run.registry.champion_version()
    return Answer(action, reason, candidate, str(batch.model_version), now, second, ruling.figures)


def _train_again(run: Run, batch: Batch, trigger: str, why: str) -> tuple[Outcome, str, str | None]:
    """Train a candidate, and return what came of it, in a sentence too, and its name where one was trained now."""
    from batch_nlp.training.run import training_fingerprint

    before, champion = run.registry.champion_version(), sound_champion(run)
    config = _as_champion(run.config, champion) if champion else run.config
    run = replace(run, config=replace(config, training=replace(config.training, promote=True, window=0)))
    fingerprint = training_fingerprint(run.config, run.store, run.definition.version)
    if champion and before != batch.model_version and champion["training_fingerprint"] == fingerprint:
        logger.warning("{} was trained on just this data, by a run that was killed or by hand: not again", before)
        return Outcome.PROMOTED, f"{before} took the place of {batch.model_version}", None
    logger.info("Retraining, since {}", why)
    result = train_candidate(run, reason=trigger)
    decision = result.decision
    if decision is not None and decision.passed:
        return Outcome.PROMOTED, f"{result.version} took the place of {before}", result.candidate
    if decision is not None and decision.same_as_champion:
        reason = (
            "The retraining gave the champion's predictions over again: nothing that it could learn from has come since"
        )
        return Outcome.SAME, reason, result.candidate
    reason = f"Candidate {result.candidate} failed its gate ({decision.failures if decision else 'no gate'})"
    return Outcome.REJECTED, reason, result.candidate


def _as_champion(config: Config, champion: dict[str, Any]) -> Config:
    """Return the settings with seed, model and training of the champion, unless ``drift.retrain_with`` keeps the job's.

    A schedule that runs with another model than the one a person chose and published must not bring its own back.
    """
    if config.drift.retrain_with is RetrainWith.settings or champion["dataset"] != config.dataset.name:
        return config
    try:
        settings = champion["settings"]
        kept = {name: getattr(config.training, name) for name in OF_THE_JOB}
        training = replace(parse(TrainingConfig, settings["training"]), **kept)
        check_steps(training.steps, "training.steps of the champion", None)
        return replace(
            config, seed=int(settings["seed"]), model=parse(ModelConfig, settings["model"]), training=training
        )
    except (OmegaConfBaseException, SettingsError, KeyError, TypeError, ValueError) as error:
        logger.warning(
            "The champion's own settings cannot be used by this version of the project ({}: {}): the retraining takes "
            "those of this job, as with drift.retrain_with=settings",
            type(error).__name__,
            str(error).partition("\n")[0],
        )
        return config


def _retrained_before(run: Run, batch: Batch) -> dict[str, Any] | None:
    """Return the retraining that the batch led to in a run that was killed after it; None where there was none."""
    found = (decision for decision in reversed(run.decisions.read()) if decision["decision"] == "retraining")
    return next((one for one in found if one.get("batch") == batch.name and "outcome" in one), None)


def _go_on(run: Run, batch: Batch, over: dict[str, Any]) -> Answer:
    """Do what was left to do after a retraining: a second one would find nothing new and be told as a failure."""
    logger.warning("The retraining for batch {} was over when a run was killed: going on from there", batch.name)
    before, now = str(batch.model_version), run.registry.champion_version()
    promoted = over["outcome"] == Outcome.PROMOTED
    champion = run.registry.champion() if promoted and run.config.drift.rescore and now == over["champion"] else None
    second = _rescore(run, champion, batch) if champion is not None else None
    reason = (
        f"{over['champion']} took the place of {before}"
        if promoted
        else f"Candidate {over['candidate']} did not become the champion ({over['outcome']})"
    )
    action = Action.PROMOTED if promoted else Action.REJECTED
    return Answer(action, reason, over["candidate"], before, now, second, over["figures"])


def _labels(run: Run, batch: Batch) -> Labels:
    """Return what there is to learn from now."""
    version, store = run.definition.version, run.store
    champion = sound_champion(run)

    def since(first: str) -> int:
        # also those that retention has removed
        return store.labels.count_in(run.batches.past(batch.dataset).messages.files(), first, batch.name)

    data = [store.label_fingerprint(version), store.count_labelled(version)]
    return Labels(data, int(champion["training_rows"]) if champion else 0, since)


def _counts_after(run: Run, batch: Batch, analysis: Analysis, champion: Model | None) -> dict[str, list[int]]:
    """Return what a new champion predicts for the batches that rang, from their samples.

    So the breaker can tell a change of the messages from a change of the model. Nothing, where the new champion reads
    other fields than those that the samples hold.
    """
    if champion is None:
        return {}
    names = [batch.name] if analysis.deciding is analysis.verdict else analysis.window_batches
    counts = np.zeros(len(champion.manifest["classes"]), dtype=np.int64)
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


def _rescore(run: Run, champion: Model, batch: Batch) -> str | None:
    """Predict the batch that rang again with the new champion, beside its first predictions."""
    try:
        counts = rescore(run.layers, run.store, champion, batch, run.now.isoformat(), run.config.engine.batch_rows)
    except DataError as error:
        logger.warning("{}", error)
        return None
    name = rescored_file(champion.version)
    logger.info("Rescored: batch {} by {}, classes {}, in {}", batch.name, champion.version, counts, name)
    return name


def _reweight(run: Run, batch: Batch, analysis: Analysis) -> Answer:
    """Predict the batch again for the class shares that its own probabilities speak for."""
    model = run.registry.load(str(batch.model_version))
    if not analysis.prior_shares:
        return Answer(Action.ALERT, f"the model {model.version} keeps no reference to reweight from: train a new one")
    trained = np.asarray(model.manifest["reference"]["training_shares"])
    classes = list(model.manifest["classes"])
    now = np.asarray([analysis.prior_shares[name] for name in classes])
    counts = predict_reweighted(
        run.layers, model, batch, run.now.isoformat(), run.config.engine.batch_rows, now / trained
    )
    # of many classes, the largest
    largest = classes if len(classes) <= MOST_CLASSES else [classes[i] for i in np.argsort(-now)[:MOST_CLASSES]]
    shares = ", ".join(f"{name} {analysis.prior_shares[name]:.1%}" for name in largest)
    logger.info(
        "Reweighted: batch {} for class shares {}; predictions {}, in {}", batch.name, shares, counts, REWEIGHTED_FILE
    )
    reason = f"predicted again for the class shares {shares}"
    if any(test.counts and test.kind == "quality" for test in analysis.tests):
        reason += "; but the model is less sure too, which other class shares alone may not explain"
    run.decide("reweighting", batch=batch.name, shares=now.tolist(), counts=counts, reason=reason)
    version = run.registry.champion_version()
    return Answer(Action.REWEIGHTED, reason, None, version, version, REWEIGHTED_FILE)
