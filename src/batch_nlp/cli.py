"""The command line: Hydra composes the settings, the runner runs, and every ending has its exit code."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from loguru import logger
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from batch_nlp.config import Config
from batch_nlp.errors import BatchNlpError, DataError, ExitCode
from batch_nlp.settings import LOG_LEVELS, settings_error, typed_settings

PROJECT_ROOT = Path(__file__).resolve().parents[2]


def _run_job(composed: DictConfig) -> float | None:
    """Run one job; its errors are told here, where a multirun still knows which job they belong to."""
    from batch_nlp.log import set_up_logging

    job = HydraConfig.get()
    level = composed.get("log_level")
    set_up_logging(level if level in LOG_LEVELS else "INFO", Path(job.runtime.output_dir) / "run.log")
    if job.mode == RunMode.MULTIRUN:
        logger.info("Job {}: {}", job.job.num, job.job.override_dirname)
    try:
        config = typed_settings(composed)
        if config.training.promote is None:
            config = replace(config, training=replace(config.training, promote=job.mode == RunMode.RUN))
        return _run_locked(config)
    except BatchNlpError as error:
        logger.error("{}", error)
        raise
    except OSError as error:
        message = f"{error}. Nothing is left half-written: mend the disk or the folder's permissions, and run it again."
        logger.opt(exception=True).debug("Where it happened")
        logger.error("{}", message)
        raise DataError(message) from error
    except Exception:
        logger.exception("A bug. Please report it with this log.")
        raise


def _run_locked(config: Config) -> float | None:
    # imported late: the settings can be wrong, or only help be asked for, without these seconds
    from batch_nlp.runner import check_settings, run_stages
    from batch_nlp.storage.lock import writer_lock

    check_settings(config)
    with writer_lock(Path(config.paths.data), Path(config.paths.models)):
        return run_stages(config, datetime.now(UTC))


def _arrange(arguments: list[str]) -> list[str]:
    """Return the arguments as Hydra takes them.

    Its parser accepts settings on one side of the flags only, so the flags go first. And it accepts a setting without
    ``+`` only if a file has it: of an estimator's parameters the files name but a few, and all may be set.
    """
    settings = [argument for argument in arguments if re.match(r"~|[^-=]+=", argument)]
    flags = [argument for argument in arguments if argument not in settings]
    return flags + [re.sub(r"^(?=model\.params\.)", "++", setting) for setting in settings]


def main() -> int:
    """Run the command line and return its exit code."""
    # On a machine with other work, threads that spin while they wait made training ten times as slow
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Hydra would turn every error into exit code 1; with this it lets them through
    os.environ["HYDRA_FULL_ERROR"] = "1"
    sys.argv[1:] = _arrange(sys.argv[1:])
    OmegaConf.register_new_resolver("project_root", lambda: str(PROJECT_ROOT), replace=True)
    run = hydra.main(version_base="1.3", config_path=str(PROJECT_ROOT / "conf"), config_name="config")(_run_job)
    try:
        run()
    except BatchNlpError as error:
        return error.exit_code
    except (HydraException, OmegaConfBaseException) as error:
        print(settings_error(error), file=sys.stderr)
        return ExitCode.SETTINGS
    except Exception:  # noqa: BLE001 told by the job already; what is left is the exit code
        return ExitCode.BUG
    return ExitCode.DONE
