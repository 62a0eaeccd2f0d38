"""One job: its log, its settings as a checked schema, the run, and its exit code."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from loguru import logger
from omegaconf import DictConfig, OmegaConf

import batch_nlp.config.composition  # noqa: F401 for what its settings refer to, in processes of parallel jobs too
from batch_nlp.config.safety import check_composed
from batch_nlp.errors import BatchNlpError, DataError, ExitCode, exit_code_of
from batch_nlp.experiments.job_record import JobRecord, record_job
from batch_nlp.experiments.sweep import job_folder, threads_of_a_job

if TYPE_CHECKING:
    from batch_nlp.config import Config

# Files of a run hold messages, and the umask of the caller may let everyone read them
OWNER_ALONE, _GROUP_TOO = 0o077, 0o027


def run_once(composed: DictConfig) -> ExitCode | OSError:
    """Run a single job and return its exit code, or the error that kept its log from being written."""
    from batch_nlp.log import ENDED

    try:
        _begin(composed)
    except OSError as error:
        return error
    code = ExitCode.DONE
    try:
        _attempt(composed)
    except BaseException as error:
        code = exit_code_of(error)
        if not isinstance(error, Exception):
            raise
    finally:
        logger.debug(ENDED, code)  # for the run's own log, from which pipeline=status has it
    return code


def run_in_sweep(composed: DictConfig) -> float | None:
    """Run a job of a multirun and record its result; its failure does not stop the others."""
    _begin(composed)
    job = HydraConfig.get()
    logger.info("Job {}: {}", job.job.num, job.job.override_dirname)
    settings: Any = OmegaConf.to_container(composed, resolve=False)
    record = JobRecord(Path(job.runtime.output_dir), job.job.num, list(job.overrides.task), settings)

    def work(record: JobRecord) -> float | None:
        # composed anew for each job
        whole: Any = OmegaConf.merge({"hydra": job}, composed)
        check_composed(whole)
        return _attempt(composed, record)

    return record_job(record, work)


def _begin(composed: DictConfig) -> None:
    from batch_nlp.config.load import LOG_LEVELS
    from batch_nlp.log import set_up_logging

    job = HydraConfig.get()
    if OmegaConf.select(composed, "paths.group_reads") is True:
        os.umask(_GROUP_TOO)
        _let_group_in(Path(job.runtime.output_dir), Path(composed.paths.data).absolute())
    level = composed.get("log_level")
    log = Path(job.runtime.output_dir) / "run.log" if job.output_subdir else None
    set_up_logging(level if level in LOG_LEVELS else "INFO", log)


def _let_group_in(made: Path, data: Path) -> None:
    """Let the group read the folder of the log and those above it, which Hydra made before the settings were known."""
    for folder in (made, *made.parents):
        if folder.is_relative_to(data) and folder.stat().st_mode & 0o777 == 0o777 & ~OWNER_ALONE:
            folder.chmod(0o777 & ~_GROUP_TOO)


def _attempt(composed: DictConfig, record: JobRecord | None = None) -> float | None:
    """Run what the settings say; errors are logged here, where a multirun still knows which job they belong to."""
    from batch_nlp.config.load import typed_settings

    try:
        config = typed_settings(composed)
        if config.training.promote is None:
            config = replace(config, training=replace(config.training, promote=record is None))
        if record is not None and not config.engine.threads:
            threads = threads_of_a_job(HydraConfig.get().launcher)
            config = replace(config, engine=replace(config.engine, threads=threads))
        return _run_locked(config, record)
    except BatchNlpError as error:
        logger.error("{}", error)
        raise
    except OSError as error:
        found = disk_error(error)
        logger.opt(exception=True).debug("Where it happened")
        logger.error("{}", found)
        raise found from error
    except KeyboardInterrupt:
        logger.error("Interrupted. Nothing is left half-written: run it again to continue.")
        raise
    except Exception:
        logger.exception("A bug. Please report it with this log.")
        raise


def disk_error(error: OSError) -> DataError:
    """Return what a person reads about an error of the file system."""
    return DataError(
        f"{error}. Nothing is left half-written: repair the disk or the folder's permissions, and run it again."
    )


def _run_locked(config: Config, record: JobRecord | None) -> float | None:
    # imported late: the settings can be wrong, or only help be asked for, without these seconds
    from batch_nlp.notify.notifier import notify_failures
    from batch_nlp.runner import RunContext, check_settings, lock_scope, run_stages

    check_settings(config)
    sweep = None if record is None else str(record.folder.parent)
    with notify_failures(config), lock_scope(config, sweep) as (now, alone):
        if record is None:
            return run_stages(config, now, alone)
        record.begin()
        run = RunContext.of(config, now)
        if not alone and (value := record.done_before(run.data_state())) is not None:
            return value
        try:
            return run_stages(config, now, alone)
        finally:
            if (metrics := run.hold_out_metrics()) is not None:
                record.note(run.name, run.data_state(), config.training.metric, metrics, run.candidate_card)


# On import, because the processes of parallel jobs only import this module
OmegaConf.register_new_resolver("job_folder", job_folder, replace=True)
