"""The stage `requeue`: rows in quarantine that are sound now go back to where they came from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from loguru import logger

from batch_nlp.config import Role
from batch_nlp.dataset.message_columns import names_of
from batch_nlp.errors import DataError, SettingsError, examples
from batch_nlp.runner.context import RunContext
from batch_nlp.storage.raw.file_names import ENDINGS_IN_WORDS, ending_of
from batch_nlp.storage.raw.lines import Row
from batch_nlp.storage.requeued import REFUSED, REQUEUED, Requeued, put_back

# How the names of batches begin, and with them those of their quarantine files
_BATCH = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")


def requeue(run: RunContext) -> None:
    """Put rows back from quarantine, those of a file or all of the dataset; what is still broken is told, and stays.

    Rows that the feature pipeline left out go to ``dataset.raw_dir``, those of inference to the inbox.

    Raises
    ------
    SettingsError
        If ``requeue.file`` is no quarantine file, nor a copy of one.
    DataError
        If a file cannot be read, or was requeued before.
    """
    messages = run.config.dataset.messages
    texts = names_of(messages.columns, Role.text)
    if run.config.requeue.file is not None:
        file = Path(run.config.requeue.file).expanduser()
        pairs = [(file, *_origin(run, file))]
    else:
        pairs = [(original, original, target) for original, target in _quarantine_files(run)]
    if not pairs:
        logger.info("Requeue: nothing is in quarantine that was not requeued")
    found = []
    for file, original, target in pairs:
        check = partial(_broken, run, original.parent == run.layers.inference_quarantine)
        done = put_back(file, original, target, messages.files, texts, check, _tell)
        if done.target is not None:
            logger.info("Requeue: {:,} of {:,} rows of {} are in {}", done.requeued, done.rows, done.file, done.target)
        found.append((done, target))
    rows, back = sum(done.rows for done, _ in found), sum(done.requeued for done, _ in found)
    logger.info("Requeue: {:,} rows = {:,} requeued + {:,} left", rows, back, sum(done.stay for done, _ in found))
    to_inbox = {target == run.inbox for done, target in found if done.requeued}
    for inbox, pipeline in ((False, "feature"), (True, "inference")):
        if inbox in to_inbox:
            logger.info("Requeue: what was put back is taken in by the next pipeline={}", pipeline)


def _broken(run: RunContext, predicted: bool, rows: list[Row]) -> dict[int, str]:
    """Return which rows the run that they go back to would put into quarantine again, and why."""
    from batch_nlp.feature.contract_check import broken_rows

    labelled = not predicted and run.config.dataset.label.column is not None
    return broken_rows(run.config, run.definition, rows, labelled)


def _tell(done: Requeued) -> None:
    """Say what is still broken, before anything is put back."""
    if done.stay:
        places = examples(f"{place.file}:{place.line}" for place in done.examples)
        logger.warning(
            "Requeue: {:,} of {:,} rows of {} are still broken and stay in quarantine: {} ({}). Repair them in a copy "
            "and name it with requeue.file, or change the setting that refuses them",
            done.stay,
            done.rows,
            done.file,
            examples(f"{number:,} x {reason}" for reason, number in done.reasons.most_common()),
            places,
        )


def _origins(run: RunContext) -> list[tuple[Path, Path]]:
    """Return the folders of quarantine files, and where their rows go."""
    return [
        (run.layers.feature_quarantine, Path(run.config.dataset.raw_dir)),
        (run.layers.inference_quarantine, run.inbox),
    ]


def _quarantine_files(run: RunContext) -> Iterator[tuple[Path, Path]]:
    """Yield the quarantine files of the dataset, and where their rows go."""
    others = {batch.name for batch in run.batches.all() if batch.dataset != run.config.dataset.name}
    for folder, target in _origins(run):
        for file in sorted(folder.glob("[!.]*.parquet")):
            if file.stem not in others:
                yield file, target


def _origin(run: RunContext, file: Path) -> tuple[Path, Path]:
    """Return the quarantine file that a file is, or is a copy of, and where its rows go."""
    _check_kept(run, file)
    if not file.is_file() or not ending_of(file.name):
        known = [str(path) for path, _ in _quarantine_files(run)]
        raise SettingsError(
            f"requeue.file={file}: there is no such file, or its name does not end in {ENDINGS_IN_WORDS}. "
            f"In quarantine: {examples(known) or 'nothing'}."
        )
    if file.resolve().parent.name == REFUSED:
        raise DataError(
            f"requeue.file={file}: the run was refused whole, so the next one reads its files again. Mend them instead."
        )
    found = [pair for pair in _quarantine_files(run) if file.name.startswith(pair[0].stem)]
    if found:
        return max(found, key=lambda pair: len(pair[0].stem))
    for folder, _ in _origins(run):
        before = [path for path in folder.glob(f"{REQUEUED}/*.parquet") if file.name.startswith(path.stem)]
        if before:
            raise DataError(f"requeue.file={file}: its rows were requeued before; the quarantine file is {before[0]}.")
    raise SettingsError(
        f"requeue.file={file}: its name does not say which quarantine file it comes from. Begin it with the name of "
        f"one: {examples(path.stem for path, _ in _quarantine_files(run)) or 'none is there'}."
    )


def _check_kept(run: RunContext, file: Path) -> None:
    """Raise a `DataError` if a file is, or is a copy of, the quarantine of a batch that retention has removed."""
    found, past = _BATCH.match(file.name), run.batches.past(run.config.dataset.name)
    if found and found[0] <= past.removed() and found[0] not in run.batches.names() and past.batches([found[0]]):
        settings = run.config.retention
        raise DataError(
            f"requeue.file={file}: batch {found[0]} was removed by retention (retention.batches={settings.batches}, "
            f"retention.days={settings.days}), and its quarantine with it. Correct the rows in their source, and put "
            "them into the inbox in a new file."
        )
