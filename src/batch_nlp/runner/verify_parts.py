"""The parts of the state that `pipeline=verify` checks, each with its problems."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from batch_nlp.dataset.labels import Labels
from batch_nlp.errors import DataError, count
from batch_nlp.inference import batch_problems, prediction_problems
from batch_nlp.inference.batch_records import Batch, BatchState
from batch_nlp.runner.champion import check_version, way_back
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.reporting import report_problems
from batch_nlp.storage import feature_store_problems, registry_problems, seal, state_format
from batch_nlp.storage.atomic import remove, unfinished
from batch_nlp.storage.manifest import read_manifest
from batch_nlp.storage.orphans import Orphans
from batch_nlp.storage.problem import UNREADABLE, Problem, Severity
from batch_nlp.storage.raw.known_files import count_taken_in


@dataclass
class Part:
    """A part of the state, what was checked, with counts, and what is wrong."""

    name: str
    checked: str
    problems: list[Problem] = field(default_factory=list)


def check_parts(run: RunContext) -> list[Part]:
    """Ask for the problems of each part of the state."""
    layers, registry, engine = run.layers, run.registry, run.config.engine
    batches, _ = run.batches.read()
    done = sum(batch.state is BatchState.DONE for batch in batches)
    scored = [batch for batch in batches if batch.state is not BatchState.CLAIMED]
    predicted = sum(batch.accounts.get("predicted", 0) for batch in scored)
    judged = {batch.name: batch.accounts for batch in scored if batch.state is not BatchState.SCORED}
    classes, keep = Labels(run.config.dataset.label).allowed, run.config.training.keep_versions
    check, back = partial(check_version, registry), partial(way_back, registry)
    # Name, path, a function that returns the problems, and one that says what was checked
    parts: list[tuple[str, Path, Callable[[], Sequence[Problem]], Callable[[], str]]] = [
        (
            "format",
            layers.root,
            lambda: state_format.problems(layers.root, registry.root),
            lambda: f"{state_format.STATE_FORMAT}, of 2 folders",
        ),
        (
            "store",
            run.store.folder,
            lambda: [*feature_store_problems.problems(run.store, classes, _used(run)), *_side_tables(run)],
            lambda: _store(run),
        ),
        (
            "registry",
            registry.root,
            lambda: registry_problems.problems(registry, keep, check, back),
            lambda: f"{count(len(registry.versions()), 'version')}, champion {registry.champion_version() or 'none'}",
        ),
        (
            "batches",
            layers.batches,
            lambda: batch_problems.problems(layers, run.batches, engine.batch_rows),
            lambda: _batches(run, batches),
        ),
        (
            "predictions",
            layers.predictions,
            lambda: prediction_problems.problems(layers.predictions, batches, engine),
            lambda: f"{count(predicted, 'message')} in {count(len(scored), 'batch', 'batches')}",
        ),
        (
            "decisions",
            layers.decisions,
            lambda: run.decisions.problems(judged),
            lambda: count(len(run.decisions.read()), "decision"),
        ),
        (
            "reports",
            layers.batch_reports,
            lambda: report_problems(run, batches),
            lambda: count(done, "batch", "batches"),
        ),
        ("unfinished", layers.root, lambda: _leftovers(run), lambda: "searched for temporary files of killed runs"),
    ]
    return [_part(*part) for part in parts]


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


def _leftovers(run: RunContext) -> list[Problem]:
    """Return the temporary files and folders of killed runs, in the folders that only runs write to."""

    def repair(path: Path, _: Orphans) -> str:
        remove(path)
        return "removed"

    what = "a run was killed while it wrote this; no reader sees it"
    action = "Nothing: the next run that works alone removes it, and so does verify.repair=true."
    paths = {path for folder in (*run.layers.own_folders, run.registry.root) for path in unfinished(folder)}
    return [Problem(path, what, action, Severity.WARNING, partial(repair, path), True) for path in sorted(paths)]
