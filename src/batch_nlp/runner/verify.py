"""The stage `verify`: asks everything that keeps something on disk for its problems, and repairs what can be repaired.

It reads without the lock, so that it can look while a run works. To repair, the command line takes the lock.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from loguru import logger

from batch_nlp.dataset.labels import Labels
from batch_nlp.errors import DataError, count
from batch_nlp.inference import batch_problems, prediction_problems
from batch_nlp.inference.batch_records import Batch, BatchState
from batch_nlp.runner import report_problems
from batch_nlp.runner.champion import check_version, way_back
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.places import check_places
from batch_nlp.runner.verify_screen import Outcome, Part, show
from batch_nlp.storage import feature_store_problems, registry_problems, seal, state_format
from batch_nlp.storage.atomic import unfinished, write_json
from batch_nlp.storage.lock import lock_holder
from batch_nlp.storage.manifest import read_manifest
from batch_nlp.storage.orphans import Orphans
from batch_nlp.storage.problem import UNREADABLE, Problem, Severity
from batch_nlp.storage.raw.file_list import count_taken_in

REPORT_FILE = "verify.json"


def verify(run: RunContext) -> None:
    """Check everything and show what was found; with ``verify.repair``, first repair what is safe to repair.

    Raises
    ------
    DataError
        If data or models are not where they should be, or, at the end, if something is wrong.
    """
    check_places(run.config)
    settings = run.config.verify
    before = _holder(run), _traces(run)
    parts, repaired, working = _check(run), list[str](), None
    if settings.repair:
        if repaired := _repair(parts, Orphans(run.layers.root, run.name)):
            parts = _check(run)
    elif (working := _working(run, *before)) is not None:
        parts = [replace(part, problems=[found for found in part.problems if not found.transient]) for part in parts]
    outcome = Outcome(run.config.dataset.name, run.now, parts, repaired, working)
    show(outcome)
    if settings.repair or settings.report:
        path = run.layers.reporting / REPORT_FILE
        write_json(path, outcome.facts())
        logger.info("Verify: all problems are in {}", path)
    if errors := outcome.errors:
        number = "1 error" if len(errors) == 1 else f"{len(errors):,} errors, the first of them"
        raise DataError(f"The state is not sound: {number}: {errors[0]}")


def _check(run: RunContext) -> list[Part]:
    """Ask for the problems of each part of the state."""
    layers, registry, engine = run.layers, run.registry, run.config.engine
    batches, _ = run.batches.read()
    scored = [batch for batch in batches if batch.state is not BatchState.CLAIMED]
    judged = {batch.name: batch.accounts for batch in scored if batch.state is not BatchState.SCORED}
    classes, keep = Labels(run.config.dataset.label).allowed, run.config.training.keep_versions
    check, back = partial(check_version, registry), partial(way_back, registry)
    return [
        _part(
            "format",
            layers.root,
            lambda: state_format.problems(layers.root, registry.root),
            lambda: f"{state_format.STATE_FORMAT}, of 2 folders",
        ),
        _part(
            "store",
            run.store.folder,
            lambda: [*feature_store_problems.problems(run.store, classes, _used(run)), *_side_tables(run)],
            lambda: _store(run),
        ),
        _part(
            "registry",
            registry.root,
            lambda: registry_problems.problems(registry, keep, check, back),
            lambda: f"{count(len(registry.versions()), 'version')}, champion {registry.champion_version() or 'none'}",
        ),
        _part(
            "batches",
            layers.batches,
            lambda: batch_problems.problems(layers, run.batches, engine.batch_rows),
            lambda: _batches(run, batches),
        ),
        _part(
            "predictions",
            layers.predictions,
            lambda: prediction_problems.problems(layers.predictions, batches, engine),
            lambda: _predictions(scored),
        ),
        _part(
            "decisions",
            layers.decisions,
            lambda: run.decisions.problems(judged),
            lambda: count(len(run.decisions.read()), "decision"),
        ),
        _part(
            "reports",
            layers.batch_reports,
            lambda: report_problems.problems(run, batches),
            lambda: count(sum(batch.state is BatchState.DONE for batch in batches), "batch", "batches"),
        ),
        _part(
            "unfinished", layers.root, lambda: _leftovers(run), lambda: "searched for temporary files of killed runs"
        ),
    ]


def _part(name: str, path: Path, ask: Callable[[], Sequence[Problem]], tell: Callable[[], str]) -> Part:
    """Return a part of the state; if it cannot be checked, that is its problem: the other parts must show."""
    part = Part(name, "not checked to the end")
    try:
        part.problems += ask()
        part.checked = tell()
    except UNREADABLE as error:
        if not part.problems:
            what = f"cannot be checked ({type(error).__name__}: {error})"
            action = "Repair the disk or the folder's permissions, or restore the folder from a backup."
            part.problems.append(Problem(path, what, action))
    return part


def _used(run: RunContext) -> set[str] | None:
    """Return the feature versions that the settings or a kept model use, None if a model cannot be read."""
    try:
        manifests = [read_manifest(run.registry.root / version) for version in run.registry.versions()]
        return {run.definition.version, *(manifest["data_version"]["feature_version"] for manifest in manifests)}
    except (DataError, KeyError, TypeError):
        return None


def _side_tables(run: RunContext) -> list[Problem]:
    """Return the damaged side tables; a missing one is made again."""
    action = "Nothing while its raw files exist: the next run that needs it makes it again."
    damaged = [problem for problem in seal.problems(run.layers.intermediate) if problem.path.exists()]
    return [replace(problem, action=action, severity=Severity.WARNING) for problem in damaged]


def _store(run: RunContext) -> str:
    messages, labels = run.store.rows()
    taken, changed = count_taken_in(run.store.folder)
    tables = count(len(run.store.tables()), "table")
    return f"{tables}, {count(messages, 'message')}, {count(labels, 'label')}, {count(taken, 'raw file')} read" + (
        f" ({changed:,} of them missing or changed since)" if changed else ""
    )


def _batches(run: RunContext, batches: Sequence[Batch]) -> str:
    unfinished_ones = [batch.name for batch in batches if batch.state is not BatchState.DONE]
    continued = f"; the next inference continues {', '.join(unfinished_ones)}" if unfinished_ones else ""
    return count(len(run.batches.names()), "record") + continued


def _predictions(scored: Sequence[Batch]) -> str:
    messages = sum(batch.accounts.get("predicted", 0) for batch in scored)
    return f"{count(messages, 'message')} in {count(len(scored), 'batch', 'batches')}"


def _leftovers(run: RunContext) -> list[Problem]:
    """Return the temporary files and folders of killed runs, in the folders that only runs write to."""

    def remove(path: Path, _: Orphans) -> str:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        return "removed"

    what = "a run was killed while it wrote this; no reader sees it"
    action = "Nothing: the next run that works alone removes it, and so does verify.repair=true."
    paths = {path for folder in (*run.layers.own_folders, run.registry.root) for path in unfinished(folder)}
    return [Problem(path, what, action, Severity.WARNING, partial(remove, path), True) for path in sorted(paths)]


def _repair(parts: Sequence[Part], orphans: Orphans) -> list[str]:
    """Repair what can be repaired, and return what was done."""
    repaired = []
    for problem in (problem for part in parts for problem in part.problems):
        if problem.repair is None:
            continue
        try:
            repaired.append(f"{problem.path}: {problem.repair(orphans)}")
        except UNREADABLE as error:  # what a repair needs may be damaged itself; other repairs go on
            logger.warning("{} could not be repaired: {}", problem.path, error)
        else:
            logger.info("Verify: {}", repaired[-1])
    return repaired


def _traces(run: RunContext) -> list[int]:
    """Return when each lock was last taken: a run that began and ended meanwhile leaves that trace."""
    locks = [folder / ".lock" for folder in (run.layers.root, run.registry.root)]
    return [lock.stat().st_mtime_ns if lock.exists() else 0 for lock in locks]


def _holder(run: RunContext) -> int | None:
    """Return the process of another run that works, None if there is none."""
    holders = {lock_holder(folder) for folder in (run.layers.root, run.registry.root)} - {None, os.getpid()}
    return next(iter(holders), None)


def _working(run: RunContext, holder_before: int | None, traces_before: list[int]) -> int | None:
    """Return the process of a run that works, 0 for one that has ended meanwhile, None if there was none."""
    ended = holder_before is not None or _traces(run) != traces_before
    return _holder(run) or (0 if ended else None)
