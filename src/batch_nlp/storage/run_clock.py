"""The run's clock: the time of a run is its name. It is unique, and later than the time of every run before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from loguru import logger

from batch_nlp.storage.atomic import write_text

# Runs in quick succession are dated a second apart, so only a larger difference deserves a warning
_WRONG_CLOCK = timedelta(minutes=1)


def next_time(folder: Path) -> datetime:
    """Return the time of a run, UTC: now, but at least a second later than every run before.

    Batches and labels are ordered by the times of their runs, and the latest label of a message counts. So their order
    must stay right even if the clock goes back. ``.last_run`` in the data folder, whose lock the run holds alone, keeps
    the latest time.
    """
    file, now = folder / ".last_run", datetime.now(UTC)
    try:
        last = datetime.fromisoformat(file.read_text())
        earliest = last.replace(microsecond=0) + timedelta(seconds=1)
        if earliest.tzinfo is None:
            raise ValueError("no time zone")
    except FileNotFoundError:
        earliest = now
    except (ValueError, OverflowError):
        logger.warning("{} was damaged and is rewritten", file)
        earliest = now
    if earliest - now > _WRONG_CLOCK:
        logger.warning(
            "The clock is or was wrong: it says {:%Y-%m-%d %H:%M:%S}, before the time of the last run. To keep the "
            "order of runs, this run is dated {:%Y-%m-%d %H:%M:%S} (UTC). Check the clock of this machine.",
            now,
            earliest,
        )
    now = max(now, earliest)
    write_text(file, now.isoformat())
    return now


@contextmanager
def claimed_time(folder: Path) -> Iterator[datetime]:
    """Yield a time, UTC, that no other run in progress has, as the name of a run that shares the lock.

    The claim is a file in `folder`, which is created if it is missing. The file has the name of a temporary file: if a
    killed run leaves it, the next run that holds the lock alone removes it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    while True:
        try:
            _claim(folder, run_name(now)).touch(exist_ok=False)
            break
        except FileExistsError:
            now += timedelta(microseconds=1)
    try:
        yield now
    finally:
        _claim(folder, run_name(now)).unlink(missing_ok=True)


def is_claimed(folder: Path, name: str) -> bool:
    """Return whether a run of that name shares the lock now, or was killed and not swept up yet."""
    return _claim(folder, name).exists()


def run_name(now: datetime) -> str:
    """Return the name of the run that began at `now`: the time to the microsecond."""
    return f"{now:%Y%m%dT%H%M%S%fZ}"


def _claim(folder: Path, name: str) -> Path:
    return folder / f".{name}.claim.{0:08x}.tmp"
