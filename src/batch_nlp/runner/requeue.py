"""The stage `requeue`: puts quarantined rows that are valid now back to where they came from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from loguru import logger

from batch_nlp.config import Role
from batch_nlp.dataset.message_columns import names_of
from batch_nlp.errors import DataError, SettingsError, examples
from batch_nlp.log import wrapped
from batch_nlp.runner.context import RunContext
from batch_nlp.storage.quarantine import REFUSED, REQUEUED
from batch_nlp.storage.raw.file_names import ENDINGS_IN_WORDS, ending_of
from batch_nlp.storage.raw.lines import Row
from batch_nlp.storage.requeued import Requeued, put_back

# Names of batches begin like this, and so do the names of their quarantine files
_BATCH = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
_MOST_REASONS, _WIDTH = 5, 76


def requeue(run: RunContext) -> None:
    """Put back the quarantined rows of one file or of the whole dataset; rows that are still broken stay.

    Rows from the feature pipeline go to ``dataset.raw_dir``, rows from inference to the inbox. ``requeue.file`` must be
    a quarantine file, or a copy of one, that was not requeued before.
    """
    messages = run.config.dataset.messages
    texts = names_of(messages.columns, Role.text)
    if run.config.requeue.file is not None:
        file = Path(run.config.requeue.file).expanduser()
        pairs = [(file, *_origin(run, file))]
    else:
        pairs = [(original, original, target) for original, target in _quarantine_files(run)]
    if not pairs:
        logger.info("Requeue: nothing to do, the quarantine of dataset {} is empty", run.config.dataset.name)
        return
    found = []
    for file, original, target in pairs:
        check = partial(_broken, run, original.parent == run.layers.inference_quarantine)
        done = put_back(file, original, target, messages.files, texts, check, _warn_of_broken)
        if done.target is not None:
            logger.info("Requeue: {:,} of {:,} rows of {} are in {}", done.requeued, done.rows, done.file, done.target)
        found.append((done, target))
    rows, back, left = (sum(getattr(done, name) for done, _ in found) for name in ("rows", "requeued", "stay"))
    logger.info("Requeue: {:,} rows = {:,} requeued + {:,} left", rows, back, left)
    targets = {target for done, target in found if done.requeued}
    for pipeline in sorted("inference" if target == run.inbox else "feature" for target in targets):
        logger.info("Requeue: the next pipeline={} reads the rows that were put back", pipeline)
    if not back:
        logger.warning("Requeue: no row was put back")


def _broken(run: RunContext, predicted: bool, rows: list[Row]) -> dict[int, str]:
    """Return the rows that the next run would quarantine again, with the reasons."""
    from batch_nlp.feature.contract_check import broken_rows

    labelled = not predicted and run.config.dataset.label.column is not None
    return broken_rows(run.config, run.definition, rows, labelled)


def _warn_of_broken(done: Requeued) -> None:
    """List the rows that are still broken, before anything is put back."""
    if not done.stay:
        return
    reasons = done.reasons.most_common()
    lines = [f"{number:,} x {reason}" for reason, number in reasons[:_MOST_REASONS]]
    if len(reasons) > _MOST_REASONS:
        lines.append(f"and {len(reasons) - _MOST_REASONS} more reasons")
    lines.append("the first: " + ", ".join(f"{place.file}:{place.line}" for place in done.examples))
    lines.append(
        "Repair them in a copy of the file and run pipeline=requeue requeue.file=COPY, or change the setting that "
        "refuses them."
    )
    listed = "\n".join(line for text in lines for line in wrapped(text, _WIDTH, "- ", "  "))
    logger.warning(
        "Requeue: {:,} of {:,} rows of {} are still broken and stay in quarantine\n{}",
        done.stay,
        done.rows,
        done.file,
        listed,
    )


def _origins(run: RunContext) -> list[tuple[Path, Path]]:
    """Return the folders of quarantine files, each with the folder that its rows go back to."""
    return [
        (run.layers.feature_quarantine, Path(run.config.dataset.raw_dir)),
        (run.layers.inference_quarantine, run.inbox),
    ]


def _quarantine_files(run: RunContext) -> Iterator[tuple[Path, Path]]:
    """Yield the quarantine files of the dataset, each with the folder that its rows go back to."""
    others = {batch.name for batch in run.batches.all() if batch.dataset != run.config.dataset.name}
    for folder, target in _origins(run):
        for file in sorted(folder.glob("[!.]*.parquet")):
            if file.stem not in others:
                yield file, target


def _origin(run: RunContext, file: Path) -> tuple[Path, Path]:
    """Return the quarantine file that `file` is or is a copy of, with the folder that its rows go back to."""
    _check_kept(run, file)
    known = list(_quarantine_files(run))
    if not ending_of(file.name):
        raise SettingsError(f"requeue.file={file}: its name does not end in {ENDINGS_IN_WORDS}. Rename the file.")
    if not file.is_file():
        there = examples(str(path) for path, _ in known) or "nothing"
        raise DataError(f"requeue.file={file}: there is no such file. In quarantine: {there}.")
    if file.resolve().parent.name == REFUSED:
        raise DataError(
            f"requeue.file={file}: the whole run was refused, so the next run reads its files again. Repair these "
            "files instead."
        )
    found = [pair for pair in known if file.name.startswith(pair[0].stem)]
    if found:
        return max(found, key=lambda pair: len(pair[0].stem))
    for folder, _ in _origins(run):
        before = [path for path in folder.glob(f"{REQUEUED}/*.parquet") if file.name.startswith(path.stem)]
        if before:
            raise DataError(f"requeue.file={file}: its rows were requeued before; the quarantine file is {before[0]}.")
    raise SettingsError(
        f"requeue.file={file}: its name does not say which quarantine file it is a copy of. Begin it with one of these "
        f"names: {examples(path.stem for path, _ in known) or 'none, the quarantine is empty'}."
    )


def _check_kept(run: RunContext, file: Path) -> None:
    """Raise a `DataError` if a file is, or is a copy of, the quarantine of a batch that retention has removed."""
    found, past = _BATCH.match(file.name), run.batches.past(run.config.dataset.name)
    if found and found[0] <= past.removed() and found[0] not in run.batches.names() and past.batches([found[0]]):
        settings = run.config.retention
        raise DataError(
            f"requeue.file={file}: retention has removed batch {found[0]} with its quarantine "
            f"(retention.batches={settings.batches}, retention.days={settings.days}). Correct the rows in their "
            "source, and put them into the inbox in a new file."
        )
