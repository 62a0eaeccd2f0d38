"""Replays days of batches, with a temporary folder for each policy."""

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
from batch_nlp.progress import progress
from batch_nlp.sample.yelp.world import LAST_DAY
from batch_nlp.simulation.messages import Messages
from batch_nlp.simulation.policies import RunStages, System, first_champion
from batch_nlp.simulation.scenarios import change_day, days_of, label_delay, simulated_classes
from batch_nlp.simulation.simulation_result import DayResult, Result
from batch_nlp.storage.atomic import temporary_name

# Start of the runs of a day, in the following night
_RUN_AT = time_of_day(2, tzinfo=UTC)
# Groups of settings that determine the result
_MATTERS = ("simulation", "sample", "features", "model", "training", "drift")


def replay(config: Config, folder: Path, run_stages: RunStages) -> Result:
    """Replay the days of a scenario in a folder, whose name becomes that of the simulation.

    The result depends only on the settings, except for the seconds. Of the user's data and models, only tables in the
    embedding cache are read. On day 0, any error is raised; later, DriftError and GateError are regular endings of a
    day.
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
        with progress("simulation", "days", settings.days) as advance:
            for day in range(1, settings.days + 1):
                truth = messages.arrive(day)
                for system, days in found.items():
                    days.append(system.live(day, _time(day), truth))
                advance(1)
                _log_day(day, settings.days, {system: days[-1] for system, days in found.items()})
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
    """Return when the runs of a day start; day 0 is the last day of the history."""
    return datetime.combine(LAST_DAY + timedelta(days=day + 1), _RUN_AT)


def _log_day(day: int, days: int, results: dict[System, DayResult]) -> None:
    """Log every tenth day, and each retraining by the policy `rule`."""
    retrained = [
        f"the rule retrained; the candidate was {'published' if result.promotions else 'refused'}"
        for system, result in results.items()
        if result.trainings and system.policy is Policy.rule
    ]
    if retrained or day % 10 == 0 or day == days:
        champions = ", ".join(f"{system.policy.value} {result.champion}" for system, result in results.items())
        logger.info("Simulation: day {} of {}: {}", day, days, "; ".join([*retrained, f"champions: {champions}"]))


@contextmanager
def _working_folder(folder: Path) -> Iterator[Path]:
    """Create a folder and remove it at the end; the next run recognises and removes the folder of a killed run."""
    folder.mkdir(parents=True, exist_ok=True)
    work = temporary_name(folder / "work")
    work.mkdir()
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
