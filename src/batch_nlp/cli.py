"""The command line: Hydra composes the settings, the runner runs, and every ending has its exit code."""

from __future__ import annotations

import os
import re
import sys
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from loguru import logger
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from batch_nlp.config import Config
from batch_nlp.config.composition import check_flags, list_groups_without_copies, watch_compositions
from batch_nlp.config.load import LOG_LEVELS, typed_settings
from batch_nlp.config.refusals import composition_error
from batch_nlp.errors import BatchNlpError, DataError, ExitCode, SettingsError
from batch_nlp.experiments.job_record import JobRecord, SweepJob, record_job
from batch_nlp.experiments.sweep import (
    close_sweep,
    job_folder,
    missing_extra,
    report_sweep_error,
    sweep_overrides,
    threads_of_a_job,
)
from batch_nlp.stderr import lasting_stderr
from batch_nlp.tracking.address import check_arguments

PROJECT_ROOT = Path(__file__).resolve().parents[2]
_NAMES_OF_INIT = {f"init.{name}" for name in ("name", "file", "folder", "text", "label", "time", "id")}
# What a run writes holds messages, and whatever started it may let everyone read new files
_OWNER_ALONE, _GROUP_TOO = 0o077, 0o027
_READS_ONLY = {"pipeline=status", "pipeline=verify", "pipeline=init"}


# How the one job of this run ended, where an error of ours stopped it
_exit_code: ContextVar[int] = ContextVar("_exit_code")


def _run_job(composed: DictConfig) -> float | None:
    """Run one job; of a multirun, its result is kept, and its failure does not stop the others."""
    from batch_nlp.log import ENDED, set_up_logging

    job = HydraConfig.get()
    if OmegaConf.select(composed, "paths.group_reads") is True:
        os.umask(_GROUP_TOO)
        _let_group_in(Path(job.runtime.output_dir), Path(composed.paths.data).absolute())
    level = composed.get("log_level")
    log = Path(job.runtime.output_dir) / "run.log" if job.output_subdir else None
    set_up_logging(level if level in LOG_LEVELS else "INFO", log)
    if job.mode == RunMode.RUN:
        code = ExitCode.BUG
        try:
            metric = _attempt(composed)
            code = ExitCode.DONE
            return metric
        except BatchNlpError as error:
            # it is told: raised, Hydra would print the settings after it
            code = error.exit_code
            return None
        except KeyboardInterrupt:
            code = ExitCode.INTERRUPTED
            raise
        finally:
            _exit_code.set(code)
            logger.debug(ENDED, code)  # for the run's own log, from which pipeline=status has it
    logger.info("Job {}: {}", job.job.num, job.job.override_dirname)
    settings: Any = OmegaConf.to_container(composed, resolve=False)
    sweep_job = SweepJob(Path(job.runtime.output_dir), job.job.num, list(job.overrides.task), settings)
    return record_job(sweep_job, lambda record: _attempt(composed, record))


def _let_group_in(made: Path, data: Path) -> None:
    """Let the group read the folder of the log and those above it, which Hydra made before the settings were known."""
    for folder in (made, *made.parents):
        if folder.is_relative_to(data) and folder.stat().st_mode & 0o777 == 0o777 & ~_OWNER_ALONE:
            folder.chmod(0o777 & ~_GROUP_TOO)


def _attempt(composed: DictConfig, record: JobRecord | None = None) -> float | None:
    """Run what the settings say; errors are told here, where a multirun still knows which job they belong to."""
    try:
        config = typed_settings(composed)
        if config.training.promote is None:
            config = replace(config, training=replace(config.training, promote=record is None))
        if record is not None and not config.engine.threads:
            config = replace(
                config, engine=replace(config.engine, threads=threads_of_a_job(HydraConfig.get().launcher))
            )
        return _run_locked(config, record)
    except BatchNlpError as error:
        logger.error("{}", error)
        raise
    except OSError as error:
        told = _of_the_disk(error)
        logger.opt(exception=True).debug("Where it happened")
        logger.error("{}", told)
        raise told from error
    except KeyboardInterrupt:
        logger.error("Interrupted. Nothing is left half-written: run it again to go on.")
        raise
    except Exception:
        logger.exception("A bug. Please report it with this log.")
        raise


def _of_the_disk(error: OSError) -> DataError:
    """Return what a person reads of an error of the file system."""
    return DataError(
        f"{error}. Nothing is left half-written: mend the disk or the folder's permissions, and run it again."
    )


def _run_locked(config: Config, record: JobRecord | None) -> float | None:
    # imported late: the settings can be wrong, or only help be asked for, without these seconds
    from batch_nlp.notify.notifier import notify_failures
    from batch_nlp.runner import candidate_card, check_settings, data_state, hold_out_metrics, lock_scope, run_stages
    from batch_nlp.storage.run_clock import run_name

    check_settings(config)
    sweep = None if record is None else str(record.job.folder.parent)
    with notify_failures(config), lock_scope(config, sweep) as (now, alone):
        if record is None:
            return run_stages(config, now, alone)
        record.begin()
        if not alone and (value := record.done_before(data_state(config))) is not None:
            return value
        try:
            return run_stages(config, now, alone)
        finally:
            if (metrics := hold_out_metrics(config, now)) is not None:
                card = candidate_card(config, now)
                record.note(run_name(now), data_state(config), config.training.metric, metrics, card)


def _arrange(arguments: list[str]) -> list[str]:
    """Return the arguments as Hydra takes them.

    Its parser accepts settings on one side of the flags only, so the flags go first. And it accepts a setting without
    ``+`` only if a file has it: of an estimator's parameters the files name but a few, and all may be set. A pipeline
    that only reads gets no folder for its log, so it works on a full disk.
    """
    settings = [argument for argument in arguments if re.match(r"~|[^-=]+=", argument)]
    flags = [argument for argument in arguments if argument not in settings]
    names = [setting for setting in settings if setting.startswith("sweep=")]
    sweep = [override for name in names for override in sweep_overrides(name.removeprefix("sweep="))]
    settings = [setting for setting in settings if setting not in names]
    writes = any(setting.startswith("verify.") for setting in settings) or {"-m", "--multirun"} & set(flags)
    if _READS_ONLY & set(settings) and not writes:
        sweep += ["hydra.run.dir=.", "hydra.output_subdir=null"]
    settings = [_of_init(setting) for setting in settings]
    return flags + [re.sub(r"^(?=model\.params\.)", "++", setting) for setting in settings] + sweep


def _of_init(setting: str) -> str:
    """Return a setting of ``pipeline=init`` as Hydra takes it: names of files and columns hold any character."""
    key, _, value = setting.partition("=")
    if key not in _NAMES_OF_INIT or value[:1] in ("'", '"', "[") or value in ("", "null"):
        return setting
    names = [value] if key in ("init.name", "init.file", "init.folder") else value.split(",")
    # what stands before a closing quote is doubled, and a dollar sign names no other setting
    quoted = [re.sub(r"(\\*)('|$)", _escaped, name.replace("${", "\\${")) for name in names]
    listed = ",".join(f"'{name}'" for name in quoted)
    return f"{key}={listed}" if len(names) == 1 else f"{key}=[{listed}]"


def _escaped(found: re.Match[str]) -> str:
    return found[1] * 2 + (r"\'" if found[2] else "")


@lasting_stderr()
def main() -> int:
    """Run the command line and return its exit code."""
    os.umask(_OWNER_ALONE)
    # On a machine with other work, threads that spin while they wait made training ten times as slow
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Hydra would turn every error into exit code 1; with this it lets them through
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        check_flags(sys.argv[1:])
        check_arguments(sys.argv[1:])
        sys.argv[1:] = _arrange(sys.argv[1:])
    except SettingsError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    code: int = ExitCode.BUG
    try:
        code = _run_hydra()
    except KeyboardInterrupt:
        close_sweep(ExitCode.INTERRUPTED)
        return ExitCode.INTERRUPTED
    finally:  # a sweep that is interrupted is reported as far as it came
        code = close_sweep(code)
    return code


def _run_hydra() -> int:
    """Run what the arguments say, and return the exit code; jobs of a multirun are not in it."""
    run = hydra.main(version_base="1.3", config_path=str(PROJECT_ROOT / "conf"), config_name="config")(_run_job)
    _exit_code.set(ExitCode.DONE)
    try:
        run()
    except BatchNlpError as error:
        return error.exit_code
    except Exception as error:  # noqa: BLE001 what a job raised it has told already; what is left is the exit code
        expected = isinstance(error, HydraException | OmegaConfBaseException)
        if told := missing_extra(error) or (composition_error(error) if expected else None):
            print(told, file=sys.stderr)
            return ExitCode.SETTINGS
        if isinstance(error, OSError):  # before the job has begun: its folder could not be made
            print(_of_the_disk(error), file=sys.stderr)
            return ExitCode.DATA
        return report_sweep_error(error)
    return _exit_code.get()


# When this module is imported, since that is all that the processes of parallel jobs do of it
OmegaConf.register_new_resolver("project_root", lambda: str(PROJECT_ROOT), replace=True)
OmegaConf.register_new_resolver("job_folder", job_folder, replace=True)
watch_compositions()
list_groups_without_copies()
