"""The stage `sample`: generated data for a first run, for tests, and for tomorrow's batch."""

from __future__ import annotations

from pathlib import Path

from loguru import logger

from batch_nlp.config import SamplePart
from batch_nlp.errors import DataError
from batch_nlp.log import progress
from batch_nlp.runner.context import Run
from batch_nlp.storage.raw import find_files


def generate_sample(run: Run, *, with_batch: bool) -> None:
    """Write the sample where there is none yet, so that a first run has something to work on."""
    config = run.config
    folder = Path(config.dataset.raw_dir)
    if find_files(folder, config.dataset.messages.files):
        return
    from batch_nlp.sample import write_batch, write_history

    logger.info("Sample: writing {:,} generated messages to {}", config.sample.messages, folder)
    with progress("sample") as advance:
        write_history(folder, config.sample, advance)
    if with_batch:
        logger.info("Sample: next batch in {}", write_batch(run.inbox, run.layers.pending_labels, config.sample))


def write_sample(run: Run) -> None:
    """Write the part of the sample that the settings ask for.

    Raises
    ------
    DataError
        If the folder for the history holds messages already.
    """
    from batch_nlp.sample import deliver_labels, write_batch, write_history

    sample, folder = run.config.sample, Path(run.config.dataset.raw_dir)
    if sample.part is SamplePart.history:
        if find_files(folder, run.config.dataset.messages.files):
            raise DataError(f"{folder} holds messages already. Remove them, or set dataset.raw_dir to another folder.")
        with progress("sample") as advance:
            write_history(folder, sample, advance)
        logger.info("Sample: {:,} messages with their users and businesses in {}", sample.messages, folder)
    elif sample.part is SamplePart.batch:
        logger.info("Sample: next batch in {}", write_batch(run.inbox, run.layers.pending_labels, sample))
    else:
        delivered = deliver_labels(run.layers.pending_labels, folder)
        logger.info("Sample: labels of {} batch(es) delivered to {}", len(delivered), folder)
