"""From arguments to a run: Hydra composes the settings, they are checked, and one job or a multirun starts."""

from __future__ import annotations

import os
import sys
from typing import Any

import hydra
from hydra.core.config_loader import ConfigLoader
from hydra.core.utils import run_job
from hydra.errors import HydraException
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from batch_nlp.config import CONF
from batch_nlp.config.arguments import Arguments
from batch_nlp.config.composition import NAME, also_from, compose, composer
from batch_nlp.config.refusals import composition_error
from batch_nlp.config.safety import check_arguments
from batch_nlp.errors import ExitCode, SettingsError
from batch_nlp.experiments.sweep import close_sweep, missing_extra, report_sweep_error
from batch_nlp.job import disk_error, run_in_sweep, run_once

# Flags that Hydra answers by itself
_OF_HYDRA = ("--hydra-help", "--version", "--shell-completion")


class _NoCallbacks:
    """Callbacks around a single job: none, because those in conf/ are for multiruns."""

    def on_job_start(self, **_: Any) -> None: ...

    def on_job_end(self, **_: Any) -> None: ...


def launch(arguments: Arguments) -> int:
    """Do what the arguments say, and return the exit code."""
    # Hydra would turn every error into exit code 1; with this it lets them through
    os.environ["HYDRA_FULL_ERROR"] = "1"
    code: int = ExitCode.BUG
    try:
        code = _launch(arguments)
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    finally:  # a sweep that is interrupted is reported as far as it came
        code = close_sweep(code)
    return code


def _launch(arguments: Arguments) -> int:
    folder, package = arguments.config_dir, arguments.package
    settings = [*arguments.settings, *([] if folder is None else [also_from(folder)])]
    if arguments.command in _OF_HYDRA:
        return _hand_over([arguments.command, *arguments.settings])
    try:
        check_arguments(settings)
        with composer() as loader:
            composed, multirun = compose(settings, arguments.command == "--multirun", loader)
            if package not in (None, "_global_") and not _is_shown(composed, arguments.value, str(package)):
                raise SettingsError(f"--package {package}: --cfg {arguments.value} has no such part of the settings.")
            if arguments.command is None and not multirun:
                return _run(composed, loader)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except (HydraException, OmegaConfBaseException) as error:
        print(missing_extra(error) or composition_error(error), file=sys.stderr)
        return ExitCode.SETTINGS
    except OSError as error:  # before the job has begun: its folder could not be made
        print(disk_error(error), file=sys.stderr)
        return ExitCode.DATA
    flags = [arguments.command, arguments.value] if arguments.command in ("--cfg", "--info") else ["-m"]
    flags += [*(["--package", package] if package else []), *(["--resolve"] if arguments.resolve else [])]
    return _hand_over([*flags, *settings])


def _is_shown(composed: DictConfig, part: str, package: str) -> bool:
    """Say whether ``--cfg PART`` shows a package: ``hydra`` shows only Hydra's settings, and ``job`` all others."""
    of_hydra = package.partition(".")[0] == "hydra"
    return part != ("job" if of_hydra else "hydra") and OmegaConf.select(composed, package) is not None


def _run(composed: DictConfig, loader: ConfigLoader) -> int:
    context = HydraContext(config_loader=loader, callbacks=_NoCallbacks())  # type: ignore[arg-type] # no callbacks
    ended = run_job(run_once, composed, "hydra.run.dir", None, context).return_value
    if isinstance(ended, OSError):
        raise ended
    return int(ended)


def _hand_over(words: list[str]) -> int:
    """Have Hydra do what it does by itself, and return the exit code; those of jobs are not in it."""
    sys.argv[1:] = words
    try:
        hydra.main(version_base="1.3", config_path=str(CONF), config_name=NAME)(run_in_sweep)()
    except (HydraException, OmegaConfBaseException) as error:
        print(missing_extra(error) or composition_error(error), file=sys.stderr)
        return ExitCode.SETTINGS
    except Exception as error:  # noqa: BLE001 what a job raised is in its record
        if told := missing_extra(error):
            print(told, file=sys.stderr)
            return ExitCode.SETTINGS
        return report_sweep_error(error)
    return ExitCode.DONE
