"""What is wrong with the model registry: its pointer, its versions, and whether the champion works."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from batch_nlp.errors import DataError
from batch_nlp.storage.manifest import RESTORE, read_manifest
from batch_nlp.storage.problem import Problem, Severity, problems_of
from batch_nlp.storage.registry import Registry, check_in_fresh_process


def problems(
    registry: Registry, keep: int, check: Callable[[str], object], way_back: Callable[[], str]
) -> list[Problem]:
    """Return what is wrong with a registry that is to keep `keep` versions.

    `check` raises a `DataError` about a version that this installation cannot run; `way_back` says which version a
    rollback leads to.
    """
    root, versions = registry.root, registry.versions()
    damaged = {name: problems_of(partial(read_manifest, root / name)) for name in versions}
    found = [problem for group in damaged.values() for problem in group]
    if pointer := problems_of(registry.champion_version):
        return [*found, *pointer]
    champion, previous = registry.champion_version(), registry.previous()
    for name in previous:
        if name not in versions:
            what = "missing, although the pointer names it as a version to go back to"
            action = "Nothing: a rollback skips it. To be able to go back to it, restore it from a backup."
            found.append(Problem(root / name, what, action, Severity.WARNING))
        elif not damaged[name] and (why := _refusal(name, partial(check, name))):
            action = "Nothing: a rollback skips it, and newer versions replace it."
            found.append(Problem(root / name, why, action, Severity.WARNING))
    if champion is not None and champion not in versions:
        action = "Restore it from a backup, go back with pipeline=rollback, or train with pipeline=training."
        found.append(Problem(root / champion, "the champion is missing", action))
    elif champion is not None and not damaged[champion]:
        if why := _refusal(champion, partial(check, champion)):
            found.append(Problem(root / champion, why, way_back()))
        elif why := _refusal(root / champion, partial(check_in_fresh_process, root / champion)):
            found.append(Problem(root / champion, why, RESTORE))
    surplus = [name for name in versions if name not in {champion, *previous}]
    if len(versions) > keep and surplus:
        what = f"{len(versions):,} versions, more than training.keep_versions={keep}; unused: {', '.join(surplus)}"
        action = "Nothing: a run was killed while it published. The next new champion removes them."
        found.append(Problem(root, what, action, Severity.WARNING, transient=True))
    return found


def _refusal(model: str | Path, check: Callable[[], object]) -> str:
    """Say why this installation cannot run a version, or the model in a folder; nothing if it can."""
    try:
        check()
    except DataError as error:
        return str(error).removeprefix(f"{model}: ").rstrip(".")
    return ""
