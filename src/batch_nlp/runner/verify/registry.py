"""Checks of the model registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from batch_nlp.errors import DataError, count
from batch_nlp.runner.champion import check_version, way_back
from batch_nlp.runner.context import RunContext
from batch_nlp.runner.verify.finding import Part, file_and_problem
from batch_nlp.storage.manifest import read_manifest
from batch_nlp.storage.registry import check_in_fresh_process

_ABOUT = (
    "Restore the folder from a backup. A champion is replaced with pipeline=rollback or pipeline=training; any other "
    "version is passed over"
)
_OF_OTHER_CODE = "Nothing: a rollback passes it over, and newer versions push it out"


def check_registry(run: RunContext, part: Part) -> str:
    """Check the pointer, every version's files against its manifest, and that the champion works."""
    root, versions = run.registry.root, run.registry.versions()
    damaged = set()
    for version in versions:
        try:
            read_manifest(root / version)
        except DataError as error:
            damaged.add(version)
            part.error(*file_and_problem(str(error), root / version), _ABOUT)
    champion, previous = _pointer(run, part)
    for name in previous:
        if name in versions and name not in damaged:
            try:
                check_version(run.registry, name)
            except DataError as error:
                part.warn(root / name, str(error).removeprefix(f"{name}: "), _OF_OTHER_CODE)
        elif name not in versions:
            problem = "the pointer names it as a version to go back to, and it is not there"
            action = "Nothing: a rollback passes it over. Restore it from a backup to be able to go back to it"
            part.warn(root / name, problem, action)
    if champion is not None and champion not in versions:
        action = "Restore it from a backup, or go back with pipeline=rollback, or train with pipeline=training"
        part.error(root / champion, "the champion is not there", action)
    elif champion is not None and champion not in damaged:
        try:
            check_version(run.registry, champion)
        except DataError as error:
            damaged.add(champion)
            part.error(root / champion, str(error).removeprefix(f"{champion}: "), way_back(run.registry).rstrip("."))
        else:
            _check_works(root / champion, part)
    keep, surplus = run.config.training.keep_versions, [name for name in versions if name not in {champion, *previous}]
    if len(versions) > keep and surplus:
        problem = f"{count(len(versions), 'version')} where training.keep_versions={keep}; unused: {', '.join(surplus)}"
        action = "Nothing: a run was killed while it published, and the next new champion removes them"
        part.warn(root, problem, action, passing=True)
    told = f"{count(len(versions), 'version')}, champion {champion or 'none'}"
    return told if champion in damaged or champion not in versions else f"{told} works"


def _check_works(champion: Path, part: Part) -> None:
    try:
        check_in_fresh_process(champion)
    except DataError as error:
        part.error(*file_and_problem(str(error), champion), _ABOUT)


def _pointer(run: RunContext, part: Part) -> tuple[str | None, list[str]]:
    """Return the champion and the versions to go back to."""
    path = run.registry.root / "champion.json"
    try:
        champion = run.registry.champion_version()
    except DataError as error:
        part.error(*file_and_problem(str(error), path), "Write the version to use into it by hand, as it says")
        return None, []
    if champion is None:
        return None, []
    pointer: dict[str, Any] = json.loads(path.read_bytes())
    return champion, list(pointer["previous"])
