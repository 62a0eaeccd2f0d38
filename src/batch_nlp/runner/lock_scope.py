"""Runs that may work side by side, and what a sweep keeps of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from batch_nlp.config import Config, Stage
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.places import check_places
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.lock import writer_lock
from batch_nlp.storage.run_clock import claimed_time, next_time, run_name
from batch_nlp.storage.state_format import check_format, enter_format

# Stages that publish nothing and write only reports of their own
_READERS = {Stage.explain, Stage.learning_curve, Stage.simulate}
# Stages that show what there is, as it is
_LOOKERS = {Stage.status, Stage.init, Stage.verify}


@contextmanager
def lock_scope(config: Config, group: str | None) -> Iterator[tuple[datetime, bool]]:
    """Hold the lock of data and models as a run needs it.

    A run that only trains, publishes nothing and finds something to train on reads what others read, and writes to
    places that carry its own name. So it shares the lock with others of its kind; any other run is alone.

    Parameters
    ----------
    config : Config
    group : str or None
        Its sweep, if it belongs to one: jobs of one sweep wait for each other.

    Yields
    ------
    datetime, bool
        The time of the run, UTC, which names it; and whether it is alone.

    Raises
    ------
    DataError
        If data or models are not where they should be, or a newer release wrote them, or may have.
    LockedError
        If another process holds a lock that this run cannot share.
    """
    folders = Path(config.paths.data), Path(config.paths.models)
    # status and verify report a damaged format.json along with their other findings
    check_format(*folders, sound=not set(config.pipeline.stages) <= _LOOKERS)
    if _only_looks(config):
        yield datetime.now(UTC), False  # and must be able to while another run works
        return
    check_places(config)  # before the lock leaves its traces
    while True:
        shared = _may_share(config)
        with ExitStack() as stack:
            stack.enter_context(writer_lock(*folders, shared=shared, group=group))
            if not shared and _may_share(config):
                continue  # another job of the sweep has filled the store meanwhile
            if shared:
                yield stack.enter_context(claimed_time(_layers(config).candidates)), False
            else:
                if Stage.verify not in config.pipeline.stages:
                    enter_format(*folders)
                yield next_time(folders[0]), True
            return


def _only_looks(config: Config) -> bool:
    repairs = Stage.verify in config.pipeline.stages and config.verify.repair
    return set(config.pipeline.stages) <= _LOOKERS and not repairs


def _may_share(config: Config) -> bool:
    if set(config.pipeline.stages) <= _READERS:
        return True
    if config.training.promote is not False or set(config.pipeline.stages) != {Stage.training}:
        return False
    return not config.pipeline.if_store_empty or bool(data_state(config)[-1])


def data_state(config: Config) -> list[Any]:
    """Return what there is to train on, as JSON values: feature version, version of the labels, labelled messages."""
    run = RunContext.of(config, datetime.now(UTC))
    version = run.definition.version
    return [version, run.store.labels_version(), run.store.count_labelled(version)]


def measured(config: Config, now: datetime) -> dict[str, Any] | None:
    """Return the metrics on the hold-out that the run of that time left; None where it trained nothing."""
    report = _layers(config).reporting / "training" / f"{run_name(now)}.json"
    if not report.exists():
        return None
    metrics: dict[str, Any] = json.loads(report.read_bytes())["metrics"]
    return metrics


def _layers(config: Config) -> Layers:
    return Layers(Path(config.paths.data), config.dataset.name)
