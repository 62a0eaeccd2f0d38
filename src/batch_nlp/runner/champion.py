"""The champion that a run needs: one that this installation can run, or an error that says what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from loguru import logger

from batch_nlp.config.builder import check_steps
from batch_nlp.errors import DataError, SettingsError
from batch_nlp.feature.definition import FeatureDefinition
from batch_nlp.runner.context import RunContext
from batch_nlp.storage.manifest import read_manifest
from batch_nlp.storage.model_code import cannot_run, other_code, other_libraries
from batch_nlp.storage.model_folder import check_code
from batch_nlp.storage.registry import Model, Registry


def champion_of(run: RunContext, *, scores: bool) -> Model:
    """Return the champion; raise a `DataError` if it is missing, damaged, or cannot be run.

    A run that `scores` computes the champion's features for new messages, instead of reading them from the store.
    """
    with rollback_hint(run.registry):
        champion = run.registry.champion()
        if champion is not None and scores:
            champion_definition(champion.version, champion.manifest)
    if champion is None:
        raise DataError(f"{run.registry.root} holds no champion. Train one with pipeline=training or pipeline=fti.")
    return champion


@contextmanager
def rollback_hint(registry: Registry) -> Iterator[None]:
    """Add the version that a rollback leads to to a `DataError` about the champion."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{error} {way_back(registry)}".strip()) from error


def check_champion(registry: Registry) -> None:
    """Raise a `DataError` if the champion exists but cannot score.

    Loading takes seconds, so the champion is loaded only if libraries differ. A run that finds nothing to score then
    misses differences that versions do not show; the run that scores will find them.
    """
    with rollback_hint(registry):
        version = registry.champion_version()
        if version is None:
            return
        manifest = read_manifest(registry.root / version)
        check_code(version, manifest)
        champion_definition(version, manifest)
        if other_libraries(manifest):
            registry.load(version)


def champion_definition(version: str, manifest: dict[str, Any]) -> FeatureDefinition:
    """Return the feature definition of a champion; raise a `DataError` if this installation computes other features."""
    try:
        definition = FeatureDefinition.from_dict(manifest["feature_definition"])
        computed = definition.version
    except (SettingsError, LookupError, TypeError, ValueError) as error:
        why = f"This installation cannot compute its features ({type(error).__name__}: {str(error).rstrip('.')})"
        raise cannot_run(version, manifest, why) from error
    needed = manifest["data_version"]["feature_version"]
    if computed != needed:
        steps = other_code(manifest, "features")
        by = f", since it needs {', '.join(steps)}" if steps else ""
        why = f"It needs feature version {needed} where this installation computes {computed}{by}"
        raise cannot_run(version, manifest, why)
    return definition


def add_champion_features(run: RunContext, champion: Model, message_ids: Collection[str]) -> None:
    """Add the champion's features to the store, for messages whose features were computed by another definition."""
    from batch_nlp.feature.on_demand import add_features

    definition = champion_definition(champion.version, champion.manifest)
    check_steps(definition.steps, f"the feature steps of {champion.version}", run.config.allow)
    add_features(run.config, run.layers, run.store, definition, message_ids, run.name, run.now)


def check_version(registry: Registry, version: str) -> dict[str, Any]:
    """Return the manifest of a version; raise a `DataError` if the version cannot score new messages."""
    manifest = registry.load(version).manifest
    champion_definition(version, manifest)
    return manifest


def way_back(registry: Registry) -> str:
    """Return a sentence on the version that a rollback leads to; empty if the pointer cannot be read."""
    try:
        previous = registry.previous()
    except DataError:
        return ""
    for version in previous:
        try:
            check_version(registry, version)
        except DataError:
            continue
        return f"pipeline=rollback goes back to {version}, which can be run."
    return "No earlier version can be run."


def champion_runs(run: RunContext) -> bool:
    """Return whether the champion can score; only training replaces one that cannot."""
    try:
        version = run.registry.champion_version()
        return version is not None and bool(check_version(run.registry, version))
    except DataError as error:
        logger.error("{}", error)
        return False
