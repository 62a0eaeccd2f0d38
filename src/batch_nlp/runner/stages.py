"""The order of the stages: which pipelines run, and what happens when one of them fails.

Each stage is a module of this room, imported when it runs: scikit-learn alone takes more than a second, and most calls
of a scheduler find nothing new.
"""

from __future__ import annotations

from datetime import datetime
from importlib import import_module

from loguru import logger

from batch_nlp.config import Config, Stage
from batch_nlp.errors import DriftError, FilesSetAsideError, GateError, SettingsError
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.lock_scope import LOOKERS
from batch_nlp.runner.retention import tidy
from batch_nlp.storage.atomic import sweep

# Module of this package, and the function in it that runs the stage
_FUNCTIONS = {
    Stage.sample: "sample.write_sample",
    Stage.feature: "train.take_in",
    Stage.training: "train.train",
    Stage.inference: "infer.infer",
    Stage.rollback: "train.roll_back",
    Stage.explain: "explain.explain",
    Stage.learning_curve: "learning_curve.draw_learning_curve",
    Stage.status: "status.report_status",
    Stage.simulate: "simulate.simulate",
    Stage.verify: "verify.verify",
    Stage.requeue: "requeue.requeue",
    Stage.init: "init.init",
}


def run_stages(config: Config, now: datetime, alone: bool = True) -> float | None:
    """Run the stages of the chosen pipeline.

    If a candidate fails its gate, the champion still scores the inbox; the failure is raised after the other stages.
    Unfinished files come from a killed run only if the run is `alone`: if no other run shares the lock. Returns the
    selection metric of the last model that was trained, for sweeps.
    """
    run = RunContext.of(config, now)
    # these show the current state without changing it; and `init` describes a dataset that has no data yet
    if set(config.pipeline.stages) <= LOOKERS:
        return _run_stages(run, alone=False)
    from batch_nlp.runner.reporting import ending_written

    with ending_written(run):
        metric: float | None = None
        failed: DriftError | GateError | None = None
        try:
            metric = _run_stages(run, alone)
        except (DriftError, GateError) as error:  # all work is done
            failed = error
        if alone:
            tidy(run)
        if run.left_out:
            if failed:  # decided, reported and sent as a notification, unlike the files that need attention
                logger.error("{}", failed)
            raise FilesSetAsideError(list(dict.fromkeys(run.left_out)))
        if failed:
            raise failed
        return metric


def _run_stages(run: RunContext, alone: bool) -> float | None:
    config = run.config
    layers = run.layers
    # but not in 01_raw and the inbox, where other programs write
    for folder in (layers.root, *layers.own_folders, run.registry.root) if alone else ():
        # the folders of single runs and batches, thousands after years, hold nothing unfinished, except that of the
        # batch in progress: inference sweeps it when it continues
        sweep(folder, whole=(layers.root, layers.runs, layers.predictions))
    if alone:
        run.store.seal()
    stages = list(config.pipeline.stages)
    if {Stage.training, Stage.inference, Stage.explain} & set(stages):
        _check_dataset(run)
    if config.pipeline.if_store_empty and not run.store.count_labelled(run.definition.version):
        logger.info(
            "Nothing to train on in the feature store: running {} first", config.pipeline.if_store_empty[0].value
        )
        stages = [*config.pipeline.if_store_empty, *stages]
    if config.dataset.generate and Stage.feature in stages:
        from batch_nlp.runner.sample import generate_sample

        generate_sample(run, with_batch=Stage.inference in stages)
    metric: float | None = None
    failed_gate: GateError | None = None
    for stage in stages:
        logger.info("== {} ==", stage.value)
        try:
            module, _, name = _FUNCTIONS[stage].partition(".")
            measured: float | None = getattr(import_module(f"batch_nlp.runner.{module}"), name)(run)
        except GateError as error:
            last = run.registry.champion_version() is None or stage is stages[-1]
            if stage is not Stage.training or last:
                raise
            logger.warning("The gate refused the candidate; the champion scores the inbox")
            failed_gate = error
        else:
            metric = metric if measured is None else measured
    if failed_gate:
        raise failed_gate
    return metric


def _check_dataset(run: RunContext) -> None:
    """Refuse to replace or use a champion of another dataset, unless that champion was trained on generated data."""
    from batch_nlp.runner.train import sound_champion

    champion = sound_champion(run)
    dataset, other = run.config.dataset.name, run.config.inference.champion_of
    if champion is None or champion["dataset"] == (other or dataset):
        return
    if other is not None:
        raise SettingsError(
            f"inference.champion_of={other}: the champion in {run.registry.root} was trained on dataset "
            f"{champion['dataset']}. Set inference.champion_of={champion['dataset']}, or set paths.models to the "
            f"registry of {other}."
        )
    may_replace = champion["generated_data"] or run.config.training.gate.replace_other_dataset
    if Stage.training in run.config.pipeline.stages and (may_replace or run.config.training.promote is False):
        return
    raise SettingsError(
        f"dataset={dataset}: the champion in {run.registry.root} was trained on dataset {champion['dataset']}. "
        f"Set dataset={champion['dataset']}; or use that champion for scoring: "
        f"inference.champion_of={champion['dataset']}; or set paths.data and paths.models to folders for {dataset}; or "
        "replace the champion: pipeline=fti training.gate.replace_other_dataset=true."
    )
