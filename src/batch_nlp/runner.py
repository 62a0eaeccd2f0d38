"""Which pipelines run, in what order, and what follows a verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from loguru import logger
from sklearn.pipeline import Pipeline

from batch_nlp.config import Config, DriftAction, SamplePart, Stage
from batch_nlp.errors import DataError, DriftError, GateError
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.feature.pipeline import Surroundings, build_feature_pipeline
from batch_nlp.feature.run import run_feature_pipeline
from batch_nlp.feature.side_tables import SideTables, prepare_side_table
from batch_nlp.inference.batches import Batch, BatchRecords, BatchState
from batch_nlp.inference.run import run_inference_pipeline
from batch_nlp.log import progress
from batch_nlp.monitoring.decisions import DecisionLog
from batch_nlp.monitoring.report import show_verdict, write_report
from batch_nlp.monitoring.verdict import Status, Verdict, check_band, judge
from batch_nlp.sample import deliver_labels, write_batch, write_history
from batch_nlp.storage.feature_store import FeatureStore
from batch_nlp.storage.known import KnownMessages
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.ledger import Ledger
from batch_nlp.storage.raw import find_files
from batch_nlp.storage.registry import Model, Registry
from batch_nlp.training.classifier import build_classifier
from batch_nlp.training.run import TrainingResult, run_training_pipeline, training_fingerprint


@dataclass(frozen=True)
class Run:
    """One call of the command line: the settings and all that they point to.

    Parameters
    ----------
    config : Config
    layers : Layers
    store : FeatureStore
    registry : Registry
    decisions : DecisionLog
    definition : FeatureDefinition
        Features that the settings ask for.
    now : datetime
        When the run began, UTC.
    """

    config: Config
    layers: Layers
    store: FeatureStore
    registry: Registry
    decisions: DecisionLog
    definition: FeatureDefinition
    now: datetime

    @classmethod
    def of(cls, config: Config, now: datetime) -> Run:
        """Return the run of some settings."""
        layers = Layers(Path(config.paths.data), config.dataset.name)
        return cls(
            config,
            layers,
            FeatureStore(layers.feature_store, config.engine),
            Registry(Path(config.paths.models)),
            DecisionLog(layers.decisions),
            FeatureDefinition.from_config(config),
            now,
        )

    @property
    def name(self) -> str:
        """Name of the run: its time to the microsecond."""
        return f"{self.now:%Y%m%dT%H%M%S%fZ}"

    @property
    def inbox(self) -> Path:
        """Where new messages arrive."""
        return Path(self.config.inference.inbox)


def check_settings(config: Config) -> None:
    """Find what is wrong with settings that only pipelines can judge, before any work.

    Raises
    ------
    SettingsError
    """
    check_band(config.drift, len(config.dataset.classes))
    if {Stage.training, Stage.inference} & set(config.pipeline.stages):
        build_classifier(config)


def run_stages(config: Config, now: datetime) -> float | None:
    """Run the stages of the chosen pipeline.

    A candidate that fails its gate does not keep the champion from scoring what is in the inbox; the failure is
    raised when the other stages are done.

    Parameters
    ----------
    config : Config
        All settings.
    now : datetime
        Time of the run, UTC.

    Returns
    -------
    float or None
        The selection metric of the last model trained, for sweeps.

    Raises
    ------
    BatchNlpError
        With the exit code of what went wrong.
    """
    run = Run.of(config, now)
    stages = list(config.pipeline.stages)
    if config.pipeline.if_store_empty and not run.store.count_labelled(run.definition.version):
        logger.info("The feature store holds nothing to train on: {} first", config.pipeline.if_store_empty[0].value)
        stages = [*config.pipeline.if_store_empty, *stages]
    if config.dataset.generate and Stage.feature in stages:
        _generate_sample(run, with_batch=Stage.inference in stages)
    metric: float | None = None
    failed_gate: GateError | None = None
    for stage in stages:
        logger.info("== {} ==", stage.value)
        if stage is Stage.sample:
            _write_sample(run)
        elif stage is Stage.feature:
            _feature(run)
        elif stage is Stage.training:
            try:
                metric = _train(run, reason="asked for", force=config.training.force)
            except GateError as error:
                if run.registry.champion_version() is None or stage is stages[-1]:
                    raise
                logger.error("{} The champion goes on.", error)
                failed_gate = error
        elif stage is Stage.inference:
            _infer(run)
        else:
            _roll_back(run)
    if failed_gate:
        raise failed_gate
    return metric


def _generate_sample(run: Run, *, with_batch: bool) -> None:
    """Write the sample where there is none yet, so that a first run has something to work on."""
    config = run.config
    folder = Path(config.dataset.raw_dir)
    if find_files(folder, config.dataset.tables.message):
        return
    logger.info("Sample: writing {:,} generated messages to {}", config.sample.messages, folder)
    with progress("sample") as advance:
        write_history(folder, config.sample, advance)
    if with_batch:
        logger.info("Sample: next batch in {}", write_batch(run.inbox, run.layers.pending_labels, config.sample))


def _write_sample(run: Run) -> None:
    sample, folder = run.config.sample, Path(run.config.dataset.raw_dir)
    if sample.part is SamplePart.history:
        if find_files(folder, run.config.dataset.tables.message):
            raise DataError(f"{folder} holds messages already. Remove them, or set dataset.raw_dir to another folder.")
        with progress("sample") as advance:
            write_history(folder, sample, advance)
        logger.info("Sample: {:,} messages with their users and businesses in {}", sample.messages, folder)
    elif sample.part is SamplePart.batch:
        logger.info("Sample: next batch in {}", write_batch(run.inbox, run.layers.pending_labels, sample))
    else:
        delivered = deliver_labels(run.layers.pending_labels, folder)
        logger.info("Sample: labels of {} batch(es) delivered to {}", len(delivered), folder)


def _feature(run: Run) -> None:
    run_feature_pipeline(run.config, run.layers, run.store, run.inbox, run.name, run.now)


def _train(run: Run, *, reason: str, force: bool) -> float:
    """Train a candidate and record what the gate said; without new data or settings, leave the champion as it is."""
    config, version = run.config, run.definition.version
    before = run.registry.champion_version()
    if not force and before is not None and config.training.promote is not False:
        champion = run.registry.champion_manifest() or {}
        if champion["training_fingerprint"] == training_fingerprint(config, run.store, version):
            logger.info("Training: the champion {} was trained on just this data with these settings", before)
            return float(champion["metrics"][config.training.metric])
    result = run_training_pipeline(
        config, run.layers, run.store, run.registry, run.definition.to_dict(), version, run.name, run.now
    )
    metrics = result.metrics
    recalls = "/".join(f"{found['recall']:.3f}" for found in metrics["classes"].values())
    logger.info(
        "Training: weighted F1 {:.4f}, macro F1 {:.4f}, recalls {}",
        metrics["f1_weighted"],
        metrics["f1_macro"],
        recalls,
    )
    if result.decision is not None:
        _record_gate(run, result, reason, before)
    return float(metrics[config.training.metric])


def _record_gate(run: Run, result: TrainingResult, reason: str, before: str | None) -> None:
    decision = result.decision
    if decision is None:
        return
    run.decisions.append(
        {
            **_decision(run, "gate"),
            "reason": reason,
            "candidate": result.candidate,
            "passed": decision.passed,
            "checks": decision.to_list(),
            "metrics": {name: result.metrics[name] for name in ("f1_weighted", "f1_macro", "accuracy")},
            "champion_before": before,
            "champion": result.version or before,
        }
    )
    for check in decision.checks:
        logger.info("Gate: {}", check)
    if not decision.passed:
        raise GateError(f"Candidate {result.candidate} failed its gate ({decision.failures}); champion: {before}.")
    logger.info("Gate: passed; the champion is now {} (before: {})", result.version, before)
    _warn_of_band(run)


def _warn_of_band(run: Run) -> None:
    """Say at training time when the champion trips the rule on messages that have not drifted."""
    manifest = run.registry.champion_manifest()
    if manifest is None:
        return
    shares = manifest["reference"]["predicted_shares"]
    for name, share in shares.items():
        if not run.config.drift.low <= share <= run.config.drift.high:
            logger.warning(
                "The champion predicts class {} for {:.1%} of its own hold-out, outside drift.low={} and "
                "drift.high={}: the rule will ring without any drift",
                name,
                share,
                run.config.drift.low,
                run.config.drift.high,
            )


def _infer(run: Run) -> None:
    """Score what is new in the inbox, judge it, and act on the verdict."""
    records = BatchRecords(run.layers.batches)
    batch = records.unfinished()
    if batch is not None:
        logger.warning("Batch {} was begun and not finished: going on with it", batch.name)
    else:
        batch = records.claim(run.inbox, run.config.dataset.tables, run.now)
    if batch is None:
        verdict = Verdict(Status.SKIPPED, f"nothing new in {run.inbox}", [])
        show_verdict(None, verdict, "none")
        run.decisions.append({**_decision(run, "batch"), "batch": None, "verdict": verdict.to_dict(), "action": "none"})
        return
    champion = _usable_champion(run)
    if batch.state is BatchState.CLAIMED:
        _score(run, champion, batch)
        records.write(batch)
    verdict = judge(batch.counts, list(champion.manifest["classes"]), run.config.drift)
    action = run.config.drift.action.value if verdict.status is Status.DRIFT else "none"
    show_verdict(batch.name, verdict, action)
    write_report(run.layers.reporting / "batches" / f"{batch.name}.json", asdict(batch), verdict)
    run.decisions.append(
        {
            **_decision(run, "batch"),
            "batch": batch.name,
            "accounts": batch.accounts,
            "model": batch.model_version,
            "verdict": verdict.to_dict(),
            "action": action,
        }
    )
    batch.state = BatchState.DONE
    records.write(batch)
    if verdict.status is Status.DRIFT:
        _respond(run, batch, verdict)


def _usable_champion(run: Run) -> Model:
    champion = run.registry.champion()
    if champion is None:
        raise DataError(f"{run.registry.root} holds no champion. Train one with pipeline=training or pipeline=fti.")
    if champion.manifest["dataset"] != run.config.dataset.name:
        raise DataError(
            f"The champion {champion.version} was trained on dataset {champion.manifest['dataset']}, not on "
            f"{run.config.dataset.name}. Train one with pipeline=fti, or set paths.models to its registry."
        )
    return champion


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
    action = run.config.drift.action
    if action is DriftAction.none:
        return
    if action is DriftAction.alert:
        raise DriftError(f"Drift in {trigger}. Nothing was done about it, since drift.action=alert.")
    logger.warning("Drift in {}: feature and training run again", trigger)
    _feature(run)
    version = run.definition.version
    data = [version, run.store.data_version(version).labels, run.store.count_labelled(version)]
    if run.decisions.data_of_last_retraining(run.config.dataset.name) == data:
        reason = "the labelled data is what the last retraining had already"
        run.decisions.append({**_decision(run, "held back"), "trigger": trigger, "data": data, "reason": reason})
        raise DriftError(f"Drift in {trigger}. No retraining, since {reason}. Bring labels of newer messages.")
    run.decisions.append({**_decision(run, "retraining"), "trigger": trigger, "data": data})
    again = replace(run, config=replace(run.config, training=replace(run.config.training, promote=True)))
    _train(again, reason=trigger, force=True)


def _roll_back(run: Run) -> None:
    old, new = run.registry.rollback(run.now)
    run.decisions.append({**_decision(run, "rollback"), "champion_before": old, "champion": new})
    logger.info("Rollback: the champion is {} again (before: {})", new, old)


def _decision(run: Run, kind: str) -> dict[str, Any]:
    return {"at": run.now.isoformat(), "decision": kind, "run": run.name, "dataset": run.config.dataset.name}
