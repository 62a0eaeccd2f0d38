"""The run's clock: each run has a time of its own, later than every run before it, and is named by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from loguru import logger

from batch_nlp.storage.atomic import write_text

# Runs that follow each other at once are dated a second apart; only what is more than that is worth a word
_WRONG_CLOCK = timedelta(minutes=1)


def next_time(folder: Path) -> datetime:
    """Return the time, UTC, that a run is dated with: now, but in a later second than every run before it.

    Batches and labels are ordered by the times of their runs. If the clock goes back (it was wrong, or is now), the
    order must still be that in which things happened: the latest label of a message counts. The newest time is kept
    in ``.last_run`` in the data folder, whose lock the run holds alone.
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
        logger.warning("{} was damaged and is written again", file)
        earliest = now
    if earliest - now > _WRONG_CLOCK:
        logger.warning(
            "The clock says {:%Y-%m-%d %H:%M:%S}, and the newest run is dated {:%Y-%m-%d %H:%M:%S} (UTC): the clock is "
            "wrong or was. This run is dated after that one, so that the order stays right.",
            now,
            earliest,
        )
    now = max(now, earliest)
    write_text(file, now.isoformat())
    return now


@contextmanager
def claimed_time(folder: Path) -> Iterator[datetime]:
    """Give a time, UTC, that no other run in progress has: runs that share the lock are named by it.

    The claim is a file below `folder`. Its name is that of a temporary file, so that one that a killed run left is
    swept away by the next run that holds the lock alone.

    `folder` is where the claims are; missing folders are made.
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
    """Say whether a run of that name is in progress that shares the lock (or was killed, until the next sweep)."""
    return _claim(folder, name).exists()


def run_name(now: datetime) -> str:
    """Return the name of the run that began at `now`: the time to the microsecond."""
    return f"{now:%Y%m%dT%H%M%S%fZ}"


def _claim(folder: Path, name: str) -> Path:
    return folder / f".{name}.claim.{0:08x}.tmp"
