"""Replays days of batches, each policy in a folder of its own that is removed at the end."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path

from loguru import logger

from batch_nlp.config import Config, Policy, plain
from batch_nlp.log import progress
from batch_nlp.sample.yelp.world import LAST_DAY
from batch_nlp.simulation.check import simulated_classes
from batch_nlp.simulation.messages import Messages
from batch_nlp.simulation.policies import RunStages, System, first_champion
from batch_nlp.simulation.result import DayResult, Result
from batch_nlp.simulation.scenarios import change_day, days_of, label_delay
from batch_nlp.storage.atomic import temporary_name

# When the runs of a day begin: in the night after it
_RUN_AT = time_of_day(2, tzinfo=UTC)
# Groups of settings that a simulation follows from
_MATTERS = ("simulation", "sample", "features", "model", "training", "drift")


def replay(config: Config, folder: Path, run_stages: RunStages) -> Result:
    """Replay the days of the settings' scenario.

    Parameters
    ----------
    config : Config
        The user's settings; their data and models are not touched, but for tables of the embedding cache, which are
        read.
    folder : Path
        The simulation's own; its name names it.
    run_stages : callable
        The runner: runs the stages of some settings at some time.

    Returns
    -------
    Result
        The same for the same settings, but for the seconds.

    Raises
    ------
    BatchNlpError
        Any but DriftError and GateError after day 0: those are what a day may bring.
    """
    settings, started = config.simulation, time.perf_counter()
    with _working_folder(folder) as work:
        delay = label_delay(settings)
        messages = Messages(work, config.sample, days_of(settings), delay, simulated_classes(config))
        logger.info("Simulation: {:,} messages of history, features, and a first champion", config.sample.messages)
        messages.begin()
        first_champion(config, work / "first", messages, _time(0), run_stages)
        systems = []
        for policy in settings.policies:
            shutil.copytree(work / "first", work / policy.value, symlinks=True)
            systems.append(System(policy, config, work / policy.value, messages, run_stages))
        found: dict[System, list[DayResult]] = {system: [] for system in systems}
        with progress("simulation", "days") as advance:
            for day in range(1, settings.days + 1):
                truth = messages.arrive(day)
                for system, days in found.items():
                    days.append(system.live(day, _time(day), truth))
                advance(1)
                _tell(day, settings.days, {system: days[-1] for system, days in found.items()})
    values = plain(config)
    return Result(
        folder.name,
        settings.scenario.value,
        change_day(settings),
        delay,
        {"seed": values["seed"], **{name: values[name] for name in _MATTERS}},
        time.perf_counter() - started,
        {system.policy: days for system, days in found.items()},
    )


def _time(day: int) -> datetime:
    """Return when the runs of a day begin; day 0 is the last day of the history."""
    return datetime.combine(LAST_DAY + timedelta(days=day + 1), _RUN_AT)


def _tell(day: int, days: int, results: dict[System, DayResult]) -> None:
    """Log every tenth day, and each retraining that the rule led to."""
    retrained = [
        f"the rule retrained, the candidate was {'published' if result.promotions else 'refused'}"
        for system, result in results.items()
        if result.trainings and system.policy is Policy.rule
    ]
    if retrained or day % 10 == 0 or day == days:
        champions = ", ".join(f"{system.policy.value} {result.champion}" for system, result in results.items())
        logger.info("Simulation: day {} of {}: {}", day, days, "; ".join([*retrained, f"champions: {champions}"]))


@contextmanager
def _working_folder(folder: Path) -> Iterator[Path]:
    """Give a folder that is removed at the end; its name lets the next run remove what a killed one left."""
    folder.mkdir(parents=True, exist_ok=True)
    work = temporary_name(folder / "work")
    work.mkdir()
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
