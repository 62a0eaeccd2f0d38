"""The stage `sample`: generated data for a first run, for tests, and for the next batch."""

from __future__ import annotations

from pathlib import Path

from loguru import logger

from batch_nlp.config import SamplePart
from batch_nlp.errors import DataError, SettingsError
from batch_nlp.progress import progress
from batch_nlp.runner.context import RunContext
from batch_nlp.sample import deliver_labels, write_batch, write_history
from batch_nlp.storage.raw.file_names import find_files


def generate_sample(run: RunContext, *, with_batch: bool) -> None:
    """Write the sample if there are no messages yet, so that a first run has data."""
    folder = Path(run.config.dataset.raw_dir)
    if find_files(folder, run.config.dataset.messages.files):
        return
    logger.info("Sample: writing {:,} generated messages to {}", run.config.sample.messages, folder)
    _write_history(run, folder)
    if with_batch:
        _write_batch(run)


def write_sample(run: RunContext) -> None:
    """Write the part of the sample that the settings name; a folder with messages is refused for the history."""
    sample, dataset = run.config.sample, run.config.dataset
    folder = Path(dataset.raw_dir)
    if sample.part is SamplePart.history:
        if find_files(folder, dataset.messages.files):
            raise DataError(
                f"{folder} already contains messages. Remove them, or set dataset.raw_dir to another folder."
            )
        _write_history(run, folder)
        logger.info("Sample: {:,} messages in {}", sample.messages, folder)
    elif sample.part is SamplePart.batch:
        _write_batch(run)
    elif dataset.label.column is None:
        raise SettingsError(f"sample.part=labels: messages of dataset {dataset.name} have no labels (dataset.label).")
    else:
        delivered = deliver_labels(run.layers.pending_labels, folder, source=dataset.sample)
        logger.info("Sample: labels of {} batch(es) delivered to {}", len(delivered), folder)


def _write_history(run: RunContext, folder: Path) -> None:
    with progress("sample", total=run.config.sample.messages) as advance:
        write_history(folder, run.config.sample, advance, run.config.dataset.sample)


def _write_batch(run: RunContext) -> None:
    config = run.config
    file = write_batch(run.inbox, run.layers.pending_labels, config.sample, source=config.dataset.sample)
    logger.info("Sample: next batch in {}", file)
