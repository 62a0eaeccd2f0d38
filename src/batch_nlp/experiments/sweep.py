"""The life of a sweep, from its first job to its report."""

from __future__ import annotations

import re
import warnings
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from hydra.errors import MissingConfigException
from hydra.experimental.callback import Callback
from loguru import logger
from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError

from batch_nlp.errors import ExitCode, SettingsError
from batch_nlp.experiments.job_result import fingerprint, read_result

_PLUGINS = {"optuna": "The sweeper for Optuna", "joblib": "The launcher for parallel jobs"}


@dataclass(frozen=True)
class Sweep:
    """A running sweep."""

    # Contains one folder per job
    folder: Path
    # Folder for its reports
    reports: Path
    # UTC, ISO 8601
    started_at: str
    # Lowest log level shown in the terminal
    log_level: str


class SweepCallback(Callback):
    """Remembers the sweep that Hydra starts.

    `close_sweep` writes the report: Hydra does not call ``on_multirun_end`` if a sweeper stops early, and turns errors
    of callbacks into warnings.
    """

    current: ClassVar[Sweep | None] = None

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Remember the sweep, and create its folder, which Optuna's database needs."""
        # the Optuna plugin calls deprecated names of Optuna, which users cannot change
        warnings.filterwarnings("ignore", category=FutureWarning, module=r"(hydra_plugins|optuna)\.")
        folder = Path(config.hydra.sweep.dir).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        # one folder for all jobs, even if paths.data, part of its name, differs between them
        quoted = str(folder).replace("\\", "\\\\").replace("'", "\\'")
        config.hydra.overrides.hydra.append(f"hydra.sweep.dir='{quoted}'")
        reports = Path(config.paths.data) / "08_reporting" / "experiments"
        sweep = Sweep(folder, reports, datetime.now(UTC).isoformat(), config.log_level)
        _set_up_logging(sweep)  # jobs in their own processes do not set it up in this one
        SweepCallback.current = sweep


def close_sweep(code: int) -> int:
    """Write the report of the sweep that has ended, if any, and return the exit code.

    `code` is that of Hydra, which does not cover failed jobs. If no job failed, or the sweep stopped for another
    reason, it stays; otherwise the exit code is that of the failed jobs if they have the same one, else 1.
    """
    sweep, SweepCallback.current = SweepCallback.current, None
    if sweep is None:
        return code
    from batch_nlp.experiments.ranking import rank
    from batch_nlp.experiments.sweep_report import show, write_reports
    from batch_nlp.reports.entry_page import write_entry_page

    _set_up_logging(sweep)  # what follows does not belong in the log of the last job
    folders = [path for path in sorted(sweep.folder.iterdir()) if (path / ".hydra").is_dir()]
    if not folders:
        if not code:
            logger.error("The sweep has no jobs: a list or glob() in its settings is empty. Give at least one value.")
        return code or ExitCode.SETTINGS
    found = {path: read_result(path) for path in folders}
    results = [result for result in found.values() if result is not None]
    ranking = rank(sweep.folder.name, results, {path.name: _overrides(path) for path in folders if found[path] is None})
    show(ranking)
    try:
        logger.info("Sweep report: {}", write_reports(ranking, sweep.reports, sweep.folder))
        write_entry_page(sweep.reports.parent)
    except OSError as error:
        logger.error("Cannot write the sweep report: {}. The results of the jobs are in {}", error, sweep.folder)
        code = code or ExitCode.DATA
    # a job that failed in an earlier attempt and was not run again is listed, but does not fail this attempt
    codes = {job.exit_code for job in ranking.failed if job.finished_at >= sweep.started_at}
    if not codes or (code and ranking.experiments):
        return code
    return codes.pop() if len(codes) == 1 else ExitCode.BUG


def _set_up_logging(sweep: Sweep) -> None:
    from batch_nlp.config.load import LOG_LEVELS
    from batch_nlp.log import set_up_logging

    set_up_logging(sweep.log_level if sweep.log_level in LOG_LEVELS else "INFO", None)


def _overrides(job: Path) -> list[str]:
    """Return the settings of a job on the command line, which Hydra keeps in its folder."""
    try:
        found = OmegaConf.load(job / ".hydra" / "overrides.yaml")
    except (OSError, UnicodeDecodeError, YAMLError):  # killed before they were written, or meanwhile
        return []
    # unresolved, since an override may refer to other settings
    return [str(text) for text in OmegaConf.to_container(found, resolve=False) or []]


def report_sweep_error(error: Exception) -> int:
    """Log why Hydra ended a sweep early, if one is running, and return the exit code."""
    if SweepCallback.current is None:
        return ExitCode.BUG
    logger.opt(exception=error).debug("Traceback")
    if isinstance(error, BrokenExecutor):
        logger.error(
            "The sweep stopped: the process of a job was killed, probably because memory ran out. "
            "Free memory, or lower hydra.launcher.n_jobs; then repeat the command with sweep={} to resume.",
            SweepCallback.current.folder.name,
        )
        return ExitCode.DATA
    logger.error("The sweep stopped: {}: {}", type(error).__name__, error)
    return ExitCode.BUG


def threads_of_a_job(launcher: DictConfig) -> int:
    """Return the threads per job if ``engine.threads`` asks for all; 0 if jobs run one after another."""
    jobs = launcher.get("n_jobs")
    if jobs is None:
        return 0
    from joblib import cpu_count

    return max(1, cpu_count() // jobs) if jobs > 0 else 1


def job_folder(_root_: DictConfig) -> str:
    """Return the name of a job's folder: the fingerprint of its settings, so that a resumed sweep finds it."""
    settings: Any = OmegaConf.to_container(_root_, resolve=False)
    return fingerprint(settings)


def missing_extra(error: Exception) -> SettingsError | None:
    """Return an error that says what to install if an error of Hydra is about a missing plugin; else None."""
    asked = error.missing_cfg_file if isinstance(error, MissingConfigException) else str(error)
    found = re.search(
        r"^hydra/(?:sweeper|launcher)\S*(optuna|joblib)|hydra_plugins\.hydra_(optuna|joblib)_", asked or ""
    )
    if found is None:
        return None
    plugin = found[1] or found[2]
    return SettingsError(f"{_PLUGINS[plugin]} is not installed. Run: uv sync --extra sweeps")
