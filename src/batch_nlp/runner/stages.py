"""Which pipelines run, in what order."""

from __future__ import annotations

from datetime import datetime

from loguru import logger

from batch_nlp.config import Config, Stage
from batch_nlp.errors import GateError, SettingsError
from batch_nlp.monitoring.check import check_drift
from batch_nlp.notify import check_notify
from batch_nlp.runner.context import Run
from batch_nlp.runner.explain import check_message_id, explain
from batch_nlp.runner.inference import infer
from batch_nlp.runner.learning_curve import check_shares, draw_learning_curve
from batch_nlp.runner.reporting import ending_written
from batch_nlp.runner.requeue import requeue
from batch_nlp.runner.sample import generate_sample, write_sample
from batch_nlp.runner.simulate import simulate
from batch_nlp.runner.status import report_status
from batch_nlp.runner.training import roll_back, sound_champion, take_in, train
from batch_nlp.runner.verify import verify
from batch_nlp.sample import check_sample
from batch_nlp.simulation import check_simulation
from batch_nlp.storage.atomic import sweep
from batch_nlp.tracking import check_tracking
from batch_nlp.training.classifier import build_classifier


def check_settings(config: Config) -> None:
    """Find what is wrong with settings that only pipelines can judge, before any work.

    Raises
    ------
    SettingsError
    """
    check_drift(config.drift, len(config.dataset.classes))
    if config.dataset.generate:
        check_sample(config.sample)
    check_tracking(config)
    stages = set(config.pipeline.stages)
    if stages != {Stage.status}:
        check_notify(config.notify)
    if {Stage.training, Stage.inference, Stage.learning_curve, Stage.simulate} & stages:
        classifier = build_classifier(config).estimator
        if hasattr(classifier, "check_installed"):
            classifier.check_installed()
    if Stage.learning_curve in stages:
        check_shares(config)
    if Stage.explain in stages:
        check_message_id(config)
    if Stage.simulate in stages:
        check_simulation(config)


def run_stages(config: Config, now: datetime, alone: bool = True) -> float | None:
    """Run the stages of the chosen pipeline.

    A candidate that fails its gate does not keep the champion from scoring what is in the inbox; the failure is
    raised when the other stages are done.

    Parameters
    ----------
    config : Config
        All settings.
    now : datetime
        Time of the run, UTC.
    alone : bool
        Whether no other run shares the lock; only then is what looks unfinished left by a killed run.

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
    if set(config.pipeline.stages) <= {Stage.status, Stage.verify}:  # what is there is shown as it is
        return _run_stages(run, alone=False)
    with ending_written(run):
        return _run_stages(run, alone)


def _run_stages(run: Run, alone: bool) -> float | None:
    config = run.config
    # not in 01_raw and the inbox, which others write to
    for folder in (*run.layers.own_folders, run.registry.root) if alone else ():
        for path in sweep(folder):
            logger.warning("Removed what a killed run left unfinished: {}", path)
    if alone:
        run.store.seal()
    stages = list(config.pipeline.stages)
    if {Stage.training, Stage.inference, Stage.explain} & set(stages):
        _check_dataset(run)
    if config.pipeline.if_store_empty and not run.store.count_labelled(run.definition.version):
        logger.info("The feature store holds nothing to train on: {} first", config.pipeline.if_store_empty[0].value)
        stages = [*config.pipeline.if_store_empty, *stages]
    if config.dataset.generate and Stage.feature in stages:
        generate_sample(run, with_batch=Stage.inference in stages)
    metric: float | None = None
    failed_gate: GateError | None = None
    for stage in stages:
        logger.info("== {} ==", stage.value)
        if stage is Stage.sample:
            write_sample(run)
        elif stage is Stage.feature:
            take_in(run)
        elif stage is Stage.training:
            try:
                metric = train(run, reason="asked for", force=config.training.force)
            except GateError as error:
                if run.registry.champion_version() is None or stage is stages[-1]:
                    raise
                logger.warning("The gate refused the candidate; the champion goes on with the inbox")
                failed_gate = error
        elif stage is Stage.inference:
            infer(run)
        elif stage is Stage.explain:
            explain(run)
        elif stage is Stage.learning_curve:
            metric = draw_learning_curve(run)
        elif stage is Stage.simulate:
            metric = simulate(run, run_stages)
        elif stage is Stage.status:
            report_status(run)
        elif stage is Stage.verify:
            verify(run)
        elif stage is Stage.requeue:
            requeue(run)
        else:
            roll_back(run)
    if failed_gate:
        raise failed_gate
    return metric


def _check_dataset(run: Run) -> None:
    """Keep a run on one dataset from replacing or using a champion that was trained on another.

    A champion trained on generated data is there to be replaced.

    Raises
    ------
    SettingsError
        If dataset and registry do not belong together.
    """
    champion = sound_champion(run)
    dataset = run.config.dataset.name
    if champion is None or champion["dataset"] == dataset:
        return
    may_replace = champion["generated_data"] or run.config.training.gate.replace_other_dataset
    if Stage.training in run.config.pipeline.stages and (may_replace or run.config.training.promote is False):
        return
    raise SettingsError(
        f"dataset={dataset}: the champion in {run.registry.root} was trained on dataset {champion['dataset']}. "
        f"Say dataset={champion['dataset']}, set paths.data and paths.models to folders for {dataset}, or replace the "
        "champion with pipeline=fti training.gate.replace_other_dataset=true."
    )
