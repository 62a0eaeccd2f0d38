"""What follows a verdict: a retraining, predictions for other class shares, or an alert."""

from __future__ import annotations

import numpy as np
from loguru import logger

from batch_nlp.config import Config, DriftResponse
from batch_nlp.errors import DriftError, GateError
from batch_nlp.inference.batch_records import Batch
from batch_nlp.inference.rescoring import REWEIGHTED_FILE, predict_reweighted
from batch_nlp.monitoring.findings import Action, Analysis, Answer, Status
from batch_nlp.monitoring.rules import MOST_CLASSES
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.retraining import retrain


def respond(run: RunContext, batch: Batch, analysis: Analysis) -> Answer:
    """Respond to the verdict on a batch as the settings say, and return what was done."""
    if analysis.deciding.status is not Status.DRIFT:
        return Answer(Action.NONE)
    response, reason = response_of(run.config)
    if response is DriftResponse.none:
        return Answer(Action.NONE, reason)
    if response is DriftResponse.alert:
        return Answer(Action.ALERT, reason)
    if response is DriftResponse.reweight:
        return _reweight(run, batch, analysis)
    return retrain(run, batch, analysis, _trigger(batch, analysis))


def response_of(config: Config) -> tuple[DriftResponse, str]:
    """Return the response to drift and the reason; a dataset without labels or its own champion gets only alerts."""
    asked = config.drift.response
    if asked is DriftResponse.retrain and config.dataset.label.column is None:
        return DriftResponse.alert, f"messages of dataset {config.dataset.name} have no labels to retrain on"
    if asked is DriftResponse.retrain and config.inference.champion_of is not None:
        return DriftResponse.alert, f"the champion belongs to dataset {config.inference.champion_of}"
    return asked, f"drift.response={asked.value}"


def raise_for(batch: Batch, analysis: Analysis, answer: Answer) -> None:
    """Raise a `DriftError` if nothing was done about drift, and a `GateError` if a retraining gave no champion."""
    trigger = _trigger(batch, analysis)
    if answer.action is Action.ALERT:
        raise DriftError(f"Drift in {trigger}. Nothing was done about it: {answer.reason}.")
    if answer.action is Action.HELD_BACK:
        raise DriftError(f"Drift in {trigger}. No retraining: {answer.reason}. Bring labels of newer messages.")
    if answer.action is Action.REJECTED:
        raise GateError(f"Drift in {trigger}. {answer.reason}; champion: {answer.champion}.")


def _trigger(batch: Batch, analysis: Analysis) -> str:
    alone = analysis.deciding is analysis.verdict
    what = "batch" if alone else f"the last {len(analysis.window_batches)} batches up to"
    return f"{what} {batch.name}: {analysis.deciding.reason}"


def _reweight(run: RunContext, batch: Batch, analysis: Analysis) -> Answer:
    """Predict the batch again for the class shares that its own probabilities suggest."""
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
        reason += "; the model is also less certain, which other class shares alone may not explain"
    run.decide("reweighting", batch=batch.name, shares=now.tolist(), counts=counts, reason=reason)
    version = run.registry.champion_version()
    return Answer(Action.REWEIGHTED, reason, None, version, version, REWEIGHTED_FILE)
