"""A sweep from its first job to its report."""

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

from batch_nlp.config.load import LOG_LEVELS
from batch_nlp.errors import ExitCode, SettingsError
from batch_nlp.experiments.result import fingerprint, read_result

_PLUGINS = {"optuna": "search with Optuna", "joblib": "jobs side by side"}


@dataclass(frozen=True)
class Sweep:
    """A sweep that is going on."""

    # Holds one folder for each job
    folder: Path
    # Where its reports go
    reports: Path
    # UTC, ISO 8601
    started_at: str
    # Least level shown on the terminal
    log_level: str


class SweepCallback(Callback):
    """Notes, when Hydra starts a sweep, where its jobs leave their results.

    The report is made by `close_sweep`, since Hydra does not call ``on_multirun_end`` when a sweeper stops, and turns
    what a callback raises into a warning.
    """

    current: ClassVar[Sweep | None] = None

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Remember the sweep, and make its folder, which Optuna's database needs."""
        # the plugin for Optuna uses names that Optuna will drop one day; a user can do nothing about that
        warnings.filterwarnings("ignore", category=FutureWarning, module=r"(hydra_plugins|optuna)\.")
        folder = Path(config.hydra.sweep.dir).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        # one folder for all jobs, even if they differ in what its name is made of (paths.data)
        quoted = str(folder).replace("\\", "\\\\").replace("'", "\\'")
        config.hydra.overrides.hydra.append(f"hydra.sweep.dir='{quoted}'")
        reports = Path(config.paths.data) / "08_reporting" / "experiments"
        sweep = Sweep(folder, reports, datetime.now(UTC).isoformat(), config.log_level)
        _set_up_logging(sweep)  # where jobs have processes of their own, nobody else does it in this one
        SweepCallback.current = sweep


def close_sweep(code: int) -> int:
    """Report on the sweep that has ended, if there is one, and return the exit code.

    Parameters
    ----------
    code : int
        Exit code of what Hydra did; errors of jobs are not in it.

    Returns
    -------
    int
        Where jobs failed, their own exit code if they have the same one, else 1; `code` where none did, or where the
        sweep stopped for another reason.
    """
    sweep, SweepCallback.current = SweepCallback.current, None
    if sweep is None:
        return code
    from batch_nlp.experiments.ranking import rank
    from batch_nlp.experiments.report import show, write_reports

    _set_up_logging(sweep)  # what follows does not belong into the last job's log
    folders = [path for path in sorted(sweep.folder.iterdir()) if (path / ".hydra").is_dir()]
    if not folders:
        if not code:
            logger.error("The sweep has no job: a list or glob() among its settings is empty. Nothing was done.")
        return code or ExitCode.SETTINGS
    found = {path: read_result(path) for path in folders}
    results = [result for result in found.values() if result is not None]
    ranking = rank(sweep.folder.name, results, {path.name: _overrides(path) for path in folders if found[path] is None})
    show(ranking)
    try:
        logger.info("Sweep: report in {}", write_reports(ranking, sweep.reports))
    except OSError as error:
        logger.error("The sweep's report cannot be written ({}); the jobs' results are in {}", error, sweep.folder)
        code = code or ExitCode.DATA
    # what failed in an earlier attempt and was not asked for again is told, and is no failure of this one
    codes = {job.exit_code for job in ranking.failed if job.finished_at >= sweep.started_at}
    if not codes or (code and ranking.experiments):
        return code
    return codes.pop() if len(codes) == 1 else ExitCode.BUG


def _set_up_logging(sweep: Sweep) -> None:
    from batch_nlp.log import set_up_logging

    set_up_logging(sweep.log_level if sweep.log_level in LOG_LEVELS else "INFO", None)


def _overrides(job: Path) -> list[str]:
    """Return the settings given for a job, as Hydra keeps them in its folder."""
    try:
        return [str(text) for text in OmegaConf.load(job / ".hydra" / "overrides.yaml")]
    except (OSError, ValueError):  # it was killed before they were written
        return []


def tell_end_of_sweep(error: Exception) -> int:
    """Say why Hydra ended a sweep before its time, if there is one, and return the exit code."""
    if SweepCallback.current is None:
        return ExitCode.BUG
    logger.opt(exception=error).debug("Where it happened")
    if isinstance(error, BrokenExecutor):
        logger.error(
            "The sweep stopped: the process of a job was killed, as the system does when memory runs out. "
            "See that there is memory, or have fewer jobs side by side with hydra.launcher.n_jobs"
        )
        return ExitCode.DATA
    logger.error("The sweep stopped: {}: {}", type(error).__name__, error)
    return ExitCode.BUG


def threads_of_a_job(launcher: DictConfig) -> int:
    """Return the threads that a job may take where ``engine.threads`` takes all: its share, 0 if it has them alone."""
    jobs = launcher.get("n_jobs")
    if jobs is None:
        return 0
    from joblib import cpu_count

    return max(1, cpu_count() // jobs) if jobs > 0 else 1


def job_folder(_root_: DictConfig) -> str:
    """Return the name of a job's folder: the fingerprint of its settings, the same when the sweep is resumed."""
    settings: Any = OmegaConf.to_container(_root_, resolve=False)
    return fingerprint(settings)


def sweep_overrides(name: str) -> list[str]:
    """Return the settings that stand for ``sweep=<name>``: a multirun with a folder of that name.

    Raises
    ------
    SettingsError
        If the name cannot be one of a folder.
    """
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise SettingsError(f"sweep={name}: need a name of letters, digits and any of ._- inside.")
    return ["hydra.mode=MULTIRUN", f"hydra.sweep.dir=${{paths.data}}/08_reporting/sweeps/{name}"]


def missing_extra(error: Exception) -> SettingsError | None:
    """Return what to install if an error of Hydra says that one of its plugins is not there; None otherwise."""
    asked = error.missing_cfg_file if isinstance(error, MissingConfigException) else str(error)
    found = re.search(
        r"^hydra/(?:sweeper|launcher)\S*(optuna|joblib)|hydra_plugins\.hydra_(optuna|joblib)_", asked or ""
    )
    if found is None:
        return None
    plugin = found[1] or found[2]
    return SettingsError(f"{_PLUGINS[plugin].capitalize()} needs an extra: uv sync --extra sweeps")
