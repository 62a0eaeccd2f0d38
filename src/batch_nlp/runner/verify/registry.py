"""Checks of the model registry."""

from __future__ import annotations

import json
from typing import Any

from batch_nlp.errors import DataError
from batch_nlp.runner.context import Run
from batch_nlp.runner.verify.finding import Finding, Part, Severity, count, file_and_problem
from batch_nlp.storage.registry import check_in_fresh_process, read_manifest

_NAME = "registry"


def check_registry(run: Run) -> Part:
    """Check the pointer, every version's files against its manifest, and that the champion works."""
    registry = run.registry
    versions = registry.versions()
    found, damaged = [], set()
    for version in versions:
        try:
            read_manifest(registry.root / version)
        except DataError as error:
            damaged.add(version)
            found.append(_about(run, version, error))
    champion, previous, problems = _pointer(run)
    found += problems
    for name in previous:
        if name not in versions:
            problem = "the pointer names it as a version to go back to, and it is not there"
            action = "Nothing: a rollback passes it over. Restore it from a backup to be able to go back to it"
            found.append(Finding(_NAME, registry.root / name, problem, action, Severity.WARNING))
    if champion is not None and champion not in versions:
        action = "Restore it from a backup, or go back with pipeline=rollback, or train with pipeline=training"
        found.append(Finding(_NAME, registry.root / champion, "the champion is not there", action))
    elif champion is not None and champion not in damaged:
        try:
            check_in_fresh_process(registry.root / champion)
        except DataError as error:
            found.append(_about(run, champion, error))
    found += _too_many(run, versions, {champion, *previous})
    told = f"{count(len(versions), 'version')}, champion {champion or 'none'}"
    return Part(_NAME, told if champion in damaged or champion not in versions else f"{told} works", found)


def _about(run: Run, version: str, error: DataError) -> Finding:
    action = (
        "Restore the folder from a backup. A champion is replaced with pipeline=rollback or pipeline=training; any "
        "other version is passed over"
    )
    return Finding(_NAME, *file_and_problem(str(error), run.registry.root / version), action)


def _pointer(run: Run) -> tuple[str | None, list[str], list[Finding]]:
    """Return the champion, the versions to go back to, and what is wrong with the pointer."""
    path = run.registry.root / "champion.json"
    try:
        champion = run.registry.champion_version()
    except DataError as error:
        action = "Write the version to use into it by hand, as it says"
        return None, [], [Finding(_NAME, *file_and_problem(str(error), path), action)]
    if champion is None:
        return None, [], []
    pointer: dict[str, Any] = json.loads(path.read_bytes())
    return champion, list(pointer["previous"]), []


def _too_many(run: Run, versions: list[str], named: set[str | None]) -> list[Finding]:
    keep = run.config.training.keep_versions
    surplus = [name for name in versions if name not in named]
    if len(versions) <= keep or not surplus:
        return []
    problem = f"{count(len(versions), 'version')} where training.keep_versions={keep}; unused: {', '.join(surplus)}"
    action = "Nothing: a run was killed while it published, and the next new champion removes them"
    return [Finding(_NAME, run.registry.root, problem, action, Severity.WARNING, passing=True)]
