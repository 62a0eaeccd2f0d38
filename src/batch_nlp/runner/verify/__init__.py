"""The stage `verify`: checks everything that runs keep, and mends what can be mended without losing anything.

It reads without the lock, so that it can look while a run works; to mend, the command line takes the lock.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from loguru import logger

from batch_nlp.errors import DataError, count
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.places import check_places
from batch_nlp.runner.verify.decisions import check_decisions
from batch_nlp.runner.verify.finding import UNREADABLE, Part, file_and_problem
from batch_nlp.runner.verify.predictions import check_predictions
from batch_nlp.runner.verify.records import check_records, read_records
from batch_nlp.runner.verify.registry import check_registry
from batch_nlp.runner.verify.reports import check_reports
from batch_nlp.runner.verify.screen import Outcome, show
from batch_nlp.runner.verify.store import check_store
from batch_nlp.storage.atomic import unfinished, write_json
from batch_nlp.storage.lock import who_works
from batch_nlp.storage.state_format import FORMAT_FILE, STATE_FORMAT, check_sound, enter_format

REPORT_FILE = "verify.json"


def verify(run: RunContext) -> None:
    """Check the whole state and show what was found; with ``verify.repair`` mend what is safe to mend first.

    Raises
    ------
    DataError
        If data or models are not where they should be; at the end, if something is wrong.
    """
    check_places(run.config)
    settings = run.config.verify
    before = _holder(run), _traces(run)
    parts = _check(run)
    repaired: list[str] = []
    working = None
    if settings.repair:
        repaired = _mend(parts)
        if repaired:
            parts = _check(run)
    else:
        working = _working(run, *before)
    if working is not None:
        parts = [replace(part, findings=[found for found in part.findings if not found.passing]) for part in parts]
    outcome = Outcome(run.config.dataset.name, run.now, parts, repaired, working)
    show(outcome)
    if settings.repair or settings.report:
        path = run.layers.reporting / REPORT_FILE
        write_json(path, outcome.facts())
        logger.info("Verify: everything that was found is in {}", path)
    if errors := outcome.errors:
        first = errors[0]
        number = "1 error" if len(errors) == 1 else f"{len(errors):,} errors, the first of them"
        raise DataError(f"The state is not sound: {number}: {first.path}: {first.problem.rstrip('.')}. {first.action}.")


def _check(run: RunContext) -> list[Part]:
    (batches, damaged), layers = read_records(run), run.layers
    return [
        _guarded("format", layers.root, lambda part: _check_format(run, part)),
        _guarded("store", run.store.folder, lambda part: check_store(run, part)),
        _guarded("registry", run.registry.root, lambda part: check_registry(run, part)),
        _guarded("batches", layers.batches, lambda part: check_records(run, batches, damaged, part)),
        _guarded("predictions", layers.predictions, lambda part: check_predictions(run, batches, part)),
        _guarded("decisions", layers.decisions, lambda part: check_decisions(run, batches, part)),
        _guarded("reports", layers.batch_reports, lambda part: check_reports(run, batches, part)),
        _guarded("unfinished", layers.root, lambda part: _check_leftovers(run, part)),
    ]


def _guarded(name: str, path: Path, check: Callable[[Part], str]) -> Part:
    """Return a part after its check; if it cannot be checked, that is what was found: the others must show."""
    part = Part(name)
    try:
        part.checked = check(part)
    except UNREADABLE as error:
        part = Part(name, "not checked to the end")
        action = "Mend the disk or the folder's permissions, or restore the folder from a backup"
        part.error(path, f"cannot be checked ({type(error).__name__}: {error})", action)
    return part


def _check_format(run: RunContext, part: Part) -> str:
    """Find files that say who wrote the state, and that are damaged."""
    folders = (run.layers.root, run.registry.root)
    for folder in folders:
        try:
            check_sound(folder)
        except DataError as error:
            action = "Until then nothing but status and verify works"
            part.error(*file_and_problem(str(error), folder), action, partial(_write_format, folder))
    return f"{STATE_FORMAT}, of {count(len(folders), 'folder')}"


def _write_format(folder: Path) -> str:
    (folder / FORMAT_FILE).unlink()
    enter_format(folder)
    return "written again"


def _check_leftovers(run: RunContext, part: Part) -> str:
    """Find temporary files and folders of runs that were killed, in the folders that only runs write to."""
    folders = (*run.layers.own_folders, run.registry.root)
    left = sorted({path for folder in folders for path in unfinished(folder)})
    for path in left:
        problem = "a run was killed while it wrote this; no reader sees it"
        action = "Nothing: the next run that works alone removes it, and so does verify.repair=true"
        part.warn(path, problem, action, partial(_remove, path), passing=True)
    return f"{count(len(left), 'temporary name')} that killed runs left" if left else "killed runs left nothing"


def _remove(path: Path) -> str:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return "removed"


def _mend(parts: list[Part]) -> list[str]:
    """Mend what can be mended, and return what was done."""
    repaired = []
    for finding in (finding for part in parts for finding in part.findings):
        if finding.repair is None:
            continue
        try:
            repaired.append(f"{finding.path}: {finding.repair()}")
        except UNREADABLE as error:  # what it needs may be damaged itself; the others can be mended
            logger.warning("{} could not be mended: {}", finding.path, error)
        else:
            logger.info("Verify: {}", repaired[-1])
    return repaired


def _traces(run: RunContext) -> list[int]:
    """Return when each lock was last taken: a run that began and ended in between leaves that trace."""
    locks = [folder / ".lock" for folder in (run.layers.root, run.registry.root)]
    return [lock.stat().st_mtime_ns if lock.exists() else 0 for lock in locks]


def _holder(run: RunContext) -> int | None:
    """Return the process of a run that works; None where there is none but this one."""
    holders = {who_works(folder) for folder in (run.layers.root, run.registry.root)} - {None, os.getpid()}
    return next(iter(holders), None)


def _working(run: RunContext, holder_before: int | None, traces_before: list[int]) -> int | None:
    """Return the process of a run that works, 0 for one that worked meanwhile, None where there was none."""
    ended = holder_before is not None or _traces(run) != traces_before
    return _holder(run) or (0 if ended else None)
