"""The lock scope of a run: which runs work alone, which share the lock, and which need none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from batch_nlp.config import Config, Stage
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.places import check_places
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.lock import writer_lock
from batch_nlp.storage.run_clock import claimed_time, next_time
from batch_nlp.storage.state_format import check_format, enter_format

# Stages that publish nothing and write only reports of their own
_READERS = {Stage.explain, Stage.learning_curve, Stage.simulate}
# Stages that only show the current state
LOOKERS = {Stage.status, Stage.init, Stage.verify}


@contextmanager
def lock_scope(config: Config, group: str | None) -> Iterator[tuple[datetime, bool]]:
    """Hold the lock of the data folder and the registry for as long as a run works.

    A run shares the lock with others of its kind if it only trains, publishes nothing and finds data to train on: such
    runs read the same data, and write to places that carry their own names. A run that only looks takes no lock. Any
    other run works alone.

    Yields the time of the run, UTC, which is its name, and whether the run is alone. `group` is the run's sweep, if
    any: jobs of one sweep wait for each other.

    Raises a `DataError` if data or models are not where they should be, or a newer release wrote them, or may have; and
    a `LockedError` if another process holds a lock that this run cannot share.
    """
    folders = Path(config.paths.data), Path(config.paths.models)
    # status and verify report a damaged format.json along with their other findings
    check_format(*folders, sound=not set(config.pipeline.stages) <= LOOKERS)
    repairs = Stage.verify in config.pipeline.stages and config.verify.repair
    if set(config.pipeline.stages) <= LOOKERS and not repairs:
        yield datetime.now(UTC), False  # must be possible while another run works
        return
    check_places(config)  # before the lock creates its files
    while True:
        shared = _may_share(config)
        with ExitStack() as stack:
            stack.enter_context(writer_lock(*folders, shared=shared, group=group))
            if not shared and _may_share(config):
                continue  # another job of the sweep has filled the store meanwhile
            if shared:
                candidates = Layers(folders[0], config.dataset.name).candidates
                yield stack.enter_context(claimed_time(candidates)), False
            else:
                if Stage.verify not in config.pipeline.stages:
                    enter_format(*folders)
                yield next_time(folders[0]), True
            return


def _may_share(config: Config) -> bool:
    if set(config.pipeline.stages) <= _READERS:
        return True
    if config.training.promote is not False or set(config.pipeline.stages) != {Stage.training}:
        return False
    return not config.pipeline.if_store_empty or bool(RunContext.of(config, datetime.now(UTC)).data_state()[-1])
