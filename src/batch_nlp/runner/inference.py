"""The stage `inference`: score the inbox, judge the batch, and act on the verdict."""

from __future__ import annotations

from dataclasses import replace

import duckdb
from loguru import logger
from sklearn.pipeline import Pipeline

from batch_nlp.config import DriftResponse
from batch_nlp.errors import DataError, DriftError, GateError
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.feature.pipeline import Surroundings, build_feature_pipeline
from batch_nlp.feature.side_tables import SideTables, prepare_side_table
from batch_nlp.inference.batches import Batch, BatchRecords, BatchState
from batch_nlp.inference.run import run_inference_pipeline
from batch_nlp.monitoring.report import show_verdict, write_report
from batch_nlp.monitoring.verdict import Status, Verdict, judge
from batch_nlp.runner.context import Run
from batch_nlp.runner.training import take_in, train
from batch_nlp.storage.known import KnownMessages
from batch_nlp.storage.ledger import Ledger
from batch_nlp.storage.registry import Model


def infer(run: Run) -> None:
    """Score what is new in the inbox, judge it, and act on the verdict.

    Raises
    ------
    DataError
        If there is no champion that can score it.
    DriftError
        If drift was found and not acted on.
    GateError
        If drift led to a candidate that failed its gate.
    """
    config = run.config
    records = BatchRecords(run.layers.batches)
    batch = records.unfinished(config.dataset.name)
    if batch is not None:
        logger.warning("Batch {} was begun and not finished: going on with it", batch.name)
    else:
        files = records.new_files(run.inbox, config.dataset.tables)
        if not files:
            verdict = Verdict(Status.SKIPPED, f"nothing new in {run.inbox}", [])
            show_verdict(None, verdict, "none", config.drift.confidence)
            run.decide("batch", batch=None, verdict=verdict.to_dict(), action="none")
            return
    champion = run.registry.champion()
    if champion is None:
        raise DataError(f"{run.registry.root} holds no champion. Train one with pipeline=training or pipeline=fti.")
    batch = batch or records.claim(files, config.dataset.name, run.now)
    if batch.state is BatchState.CLAIMED:
        _score(run, champion, batch)
        records.write(batch)
    verdict = judge(batch.counts, list(champion.manifest["classes"]), config.drift)
    if batch.state is BatchState.SCORED:
        _tell(run, batch, verdict)
        batch.state = BatchState.JUDGED
        records.write(batch)
    try:
        _respond(run, batch, verdict)
    except Exception:
        # an answer that failed is told by its exit code; it must not keep the next batch from being scored
        records.finish(batch)
        raise
    records.finish(batch)


def _tell(run: Run, batch: Batch, verdict: Verdict) -> None:
    """Show the verdict, and write it to the batch's report and the decision log."""
    drift = run.config.drift
    action = drift.response.value if verdict.status is Status.DRIFT else "none"
    show_verdict(batch.name, verdict, action, drift.confidence)
    write_report(run.layers.reporting / "batches" / f"{batch.name}.json", batch.facts(), verdict)
    run.decide(
        "batch",
        batch=batch.name,
        accounts=batch.accounts,
        model=batch.model_version,
        verdict=verdict.to_dict(),
        action=action,
    )


def _score(run: Run, champion: Model, batch: Batch) -> None:
    config = run.config
    definition = FeatureDefinition.from_dict(champion.manifest["feature_definition"])
    expected = champion.manifest["data_version"]["feature_version"]
    if definition.version != expected:
        raise DataError(
            f"This installation computes feature version {definition.version} where the champion {champion.version} "
            f"needs {expected}. Train a new model with pipeline=fti, or install the version of the project that "
            "trained it."
        )
    users, businesses = (
        prepare_side_table(config.dataset, table, run.inbox, run.layers, config.engine)
        for table in ("user", "business")
    )

    def feature_steps(connection: duckdb.DuckDBPyConnection, known: KnownMessages, ledger: Ledger) -> Pipeline:
        tables = SideTables(connection, users, businesses)
        surroundings = Surroundings(tables, known, ledger, run.layers.embedding_cache, config.engine)
        return build_feature_pipeline(definition, list(config.dataset.target_map), surroundings)

    run_inference_pipeline(config, run.layers, run.store, champion, definition.columns, feature_steps, batch)


def _respond(run: Run, batch: Batch, verdict: Verdict) -> None:
    """Act on drift: retrain, unless the data is what the last retraining had already."""
    trigger = f"batch {batch.name}: {verdict.reason}"
    action = run.config.drift.response
    if verdict.status is not Status.DRIFT or action is DriftResponse.none:
        return
    if action is DriftResponse.alert:
        raise DriftError(f"Drift in {trigger}. Nothing was done about it, since drift.response=alert.")
    logger.warning("Drift in {}: feature and training run again", trigger)
    take_in(run)
    version = run.definition.version
    data = [version, run.store.data_version(version).labels, run.store.count_labelled(version)]
    if run.decisions.data_of_last_retraining(run.config.dataset.name) == data:
        reason = "the labelled data is what the last retraining had already"
        run.decide("held back", trigger=trigger, data=data, reason=reason)
        raise DriftError(f"Drift in {trigger}. No retraining, since {reason}. Bring labels of newer messages.")
    again = replace(run, config=replace(run.config, training=replace(run.config.training, promote=True)))
    # entered when it is over, whatever the gate said: one that was killed must not count as the one that is allowed
    try:
        train(again, reason=trigger, force=True)
    except GateError:
        run.decide("retraining", trigger=trigger, data=data, champion=run.registry.champion_version())
        raise
    run.decide("retraining", trigger=trigger, data=data, champion=run.registry.champion_version())
