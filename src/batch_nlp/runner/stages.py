"""Which pipelines run, in what order.

What a stage works with is imported when the stage runs: scikit-learn alone takes more than a second, and most calls of
a scheduler find nothing new.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from loguru import logger

from batch_nlp.config import Config, Stage, plain
from batch_nlp.config.builder import check_steps
from batch_nlp.dataset.classes import class_map
from batch_nlp.dataset.labels import check_label
from batch_nlp.dataset.message_columns import check_columns
from batch_nlp.dataset.split import split_of
from batch_nlp.errors import DataError, DriftError, FilesSetAsideError, GateError, SettingsError
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.monitoring.check import check_drift
from batch_nlp.notify.notifier import check_notify
from batch_nlp.runner.context import Run
from batch_nlp.runner.retention import check_retention, tidy
from batch_nlp.storage.atomic import sweep
from batch_nlp.storage.registry import Registry
from batch_nlp.tracking.address import check_tracking

# Stages that train, or may: inference does when its batch has drifted
_TRAIN = {Stage.training, Stage.inference, Stage.learning_curve, Stage.simulate}
# Module of this package, and the function in it that runs the stage
_FUNCTIONS = {
    Stage.sample: "sample.write_sample",
    Stage.feature: "training.take_in",
    Stage.training: "training.train",
    Stage.inference: "inference.infer",
    Stage.rollback: "training.roll_back",
    Stage.explain: "explain.explain",
    Stage.learning_curve: "learning_curve.draw_learning_curve",
    Stage.status: "status.report_status",
    Stage.simulate: "simulate.simulate",
    Stage.verify: "verify.verify",
    Stage.requeue: "requeue.requeue",
    Stage.init: "init.init",
}


def check_settings(config: Config) -> None:
    """Raise a `SettingsError` if something is wrong with settings that only pipelines can judge, before any work."""
    check_label(config.dataset.label)
    check_columns(config.dataset)
    if config.dataset.messages.where is not None:
        from batch_nlp.dataset.where import Where

        Where(config.dataset.messages.where)
    split_of(config)
    FeatureDefinition.from_config(config)
    check_steps(config.training.steps, "training.steps", None)
    check_steps(config.inference.steps, "inference.steps", config.allow)
    if config.inference.output.keep:
        from batch_nlp.inference.kept_columns import check_kept_names

        check_kept_names(config.inference.output.keep)
    # of listed classes without a rule for rare ones, a model has all
    listed = class_map(config.dataset.label) if config.dataset.label.rare is None else None
    check_drift(config.drift, listed.classes if listed else None)
    if {Stage.training, Stage.learning_curve} & set(config.pipeline.stages) and config.dataset.label.column is None:
        raise SettingsError(
            f"pipeline={config.pipeline.name}: messages of dataset {config.dataset.name} have no labels to learn from "
            "(dataset.label.column). Run pipeline=feature and pipeline=inference with the champion of another dataset: "
            "inference.champion_of=NAME."
        )
    if config.dataset.generate:
        from batch_nlp.sample import check_sample

        check_sample(config.sample, config.dataset.sample)
    check_retention(config.retention)
    check_tracking(config)
    stages = set(config.pipeline.stages)
    if stages != {Stage.status}:
        check_notify(config.notify)
    if _TRAIN & stages and not (_TRAIN & stages == {Stage.inference} and _champion_has_its_classifier(config)):
        from batch_nlp.training.classifier import build_classifier

        classifier = build_classifier(config).estimator
        if hasattr(classifier, "check_installed"):
            classifier.check_installed()
    if Stage.learning_curve in stages:
        from batch_nlp.runner.learning_curve import check_shares

        check_shares(config)
    if Stage.init in stages:
        from batch_nlp.runner.init import check_init

        check_init(config)
    if Stage.explain in stages:
        from batch_nlp.runner.explain import check_message_id

        check_message_id(config)
    if Stage.simulate in stages:
        from batch_nlp.simulation.check import check_simulation

        check_simulation(config)


def _champion_has_its_classifier(config: Config) -> bool:
    """Say whether the champion was trained with this classifier, by these libraries: it need not be tried out again.

    To try one out it is fitted on made-up rows, for which scikit-learn and its library must be imported.
    """
    try:
        champion = Registry(Path(config.paths.models)).champion_manifest()
    except DataError:  # it is told where the champion is needed
        return False
    package = config.model.estimator.partition(".")[0]
    names = {"sklearn": "scikit-learn", "xgboost": "xgboost"}
    if champion is None or package not in names:  # what our own classifiers need besides is for them to say
        return False
    asked = {"seed": config.seed, "model": plain(config.model), "training": plain(config.training)}
    trained_with = champion.get("packages", {})
    same_code = all(trained_with.get(name) == version(name) for name in ("scikit-learn", names[package]))
    return same_code and bool(champion.get("settings") == asked)


def run_stages(config: Config, now: datetime, alone: bool = True) -> float | None:
    """Run the stages of the chosen pipeline.

    A candidate that fails its gate does not keep the champion from scoring what is in the inbox; the failure is
    raised when the other stages are done.

    Parameters
    ----------
    config, now
        All settings, and the time of the run, UTC.
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
    # what is there is shown as it is, and a dataset that is only described has no data yet
    if set(config.pipeline.stages) <= {Stage.status, Stage.verify, Stage.init}:
        return _run_stages(run, alone=False)
    from batch_nlp.runner.reporting import ending_written

    with ending_written(run), _left_out_told(run):
        try:
            metric = _run_stages(run, alone)
        except (DriftError, GateError):
            if alone:  # and the work is done
                tidy(run)
            raise
        if alone:
            tidy(run)
        return metric


@contextmanager
def _left_out_told(run: Run) -> Iterator[None]:
    """Raise a `FilesSetAsideError` for files that were left out when all else is done."""
    try:
        yield
    except (DriftError, GateError) as error:
        if not run.left_out:
            raise
        # decided, reported and told by now; that files need somebody is not
        logger.error("{}", error)
    if run.left_out:
        raise FilesSetAsideError(list(dict.fromkeys(run.left_out)))


def _run_stages(run: Run, alone: bool) -> float | None:
    config = run.config
    # not in 01_raw and the inbox, which others write to
    for folder in (*run.layers.own_folders, run.registry.root) if alone else ():
        # the folders of a run and of a batch, thousands after years, hold nothing unfinished
        for path in sweep(folder, whole=(run.layers.runs, run.layers.predictions)):
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
        from batch_nlp.runner.sample import generate_sample

        generate_sample(run, with_batch=Stage.inference in stages)
    metric: float | None = None
    failed_gate: GateError | None = None
    for stage in stages:
        logger.info("== {} ==", stage.value)
        try:
            measured = _run_stage(run, stage)
        except GateError as error:
            last = run.registry.champion_version() is None or stage is stages[-1]
            if stage is not Stage.training or last:
                raise
            logger.warning("The gate refused the candidate; the champion goes on with the inbox")
            failed_gate = error
        else:
            metric = metric if measured is None else measured
    if failed_gate:
        raise failed_gate
    return metric


def _run_stage(run: Run, stage: Stage) -> float | None:
    """Run one stage; return the selection metric of a model that it trained."""
    module, _, name = _FUNCTIONS[stage].partition(".")
    metric: float | None = getattr(import_module(f"batch_nlp.runner.{module}"), name)(run)
    return metric


def _check_dataset(run: Run) -> None:
    """Keep a run on one dataset from replacing or using a champion of another, unless that is of generated data."""
    from batch_nlp.runner.training import sound_champion

    champion = sound_champion(run)
    dataset, other = run.config.dataset.name, run.config.inference.champion_of
    if other is not None and Stage.training in run.config.pipeline.stages:
        raise SettingsError(
            f"inference.champion_of={other}: a run that trains scores with its own champion. Take pipeline=feature or "
            "pipeline=inference."
        )
    if champion is None or champion["dataset"] == (other or dataset):
        return
    if other is not None:
        raise SettingsError(
            f"inference.champion_of={other}: the champion in {run.registry.root} was trained on dataset "
            f"{champion['dataset']}. Say inference.champion_of={champion['dataset']}, or set paths.models to the "
            f"models of {other}."
        )
    may_replace = champion["generated_data"] or run.config.training.gate.replace_other_dataset
    if Stage.training in run.config.pipeline.stages and (may_replace or run.config.training.promote is False):
        return
    raise SettingsError(
        f"dataset={dataset}: the champion in {run.registry.root} was trained on dataset {champion['dataset']}. "
        f"Say dataset={champion['dataset']}, score with it by inference.champion_of={champion['dataset']}, "
        f"set paths.data and paths.models to folders for {dataset}, or replace the champion with "
        "pipeline=fti training.gate.replace_other_dataset=true."
    )
