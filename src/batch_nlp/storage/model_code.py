"""What a model needs from this installation: versions of our own code and of libraries."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any, Literal

from batch_nlp.config.targets import FEATURE_STEPS, MODEL_CODE, READ_TOO
from batch_nlp.errors import DataError

_LIBRARIES = ("scikit-learn", "xgboost", "skops", "numpy", "pandas", "feature-engine", "imbalanced-learn")
# Code versions decide whether a model can run; the package's version says what to install
PACKAGES = ("batch-nlp", *_LIBRARIES)


def code_of(model: Path, steps: Iterable[str]) -> dict[str, dict[str, int]]:
    """Return the versions of our own code that a skops file and some feature steps need, for a manifest."""
    found: set[str] = set()

    def look(node: Any) -> None:
        if isinstance(node, dict):
            found.add(f"{node.get('__module__')}.{node.get('__class__')}")
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            look(child)

    with zipfile.ZipFile(model) as archive:
        look(json.loads(archive.read("schema.json")))
    return {
        "model": {name: version for name, version in MODEL_CODE.items() if name in found},
        "features": {name: FEATURE_STEPS[name] for name in steps if FEATURE_STEPS.get(name)},
    }


def other_code(manifest: Mapping[str, Any], kind: Literal["model", "features"]) -> list[str]:
    """Say which versions of our own code differ between a model and this installation.

    If only feature steps differ, the model can still predict from stored features.
    """
    here = MODEL_CODE if kind == "model" else FEATURE_STEPS
    return [
        f"{name.rpartition('.')[2]} {needed} (here {here.get(name, 'gone')})"
        for name, needed in manifest.get("code", {}).get(kind, {}).items()
        if needed not in {here.get(name), *READ_TOO.get(name, ())}
    ]


def other_libraries(manifest: Mapping[str, Any]) -> list[str]:
    """Say which libraries were installed in another version when a model was trained."""
    trained_with = manifest.get("packages", {})
    return [
        f"{name} {trained_with[name]} (here {found})"
        for name in _LIBRARIES
        if name in trained_with and (found := _installed(name)) != trained_with[name]
    ]


def _installed(name: str) -> str:
    try:
        return installed_version(name)
    except PackageNotFoundError:
        return "not installed"


class CannotRunError(DataError):
    """A model is sound, but this installation cannot run it."""


def cannot_run(version: str, manifest: Mapping[str, Any], why: str) -> CannotRunError:
    """Return the error for a model that this installation cannot run."""
    release = manifest.get("packages", {}).get("batch-nlp")
    trained_with = ", ".join([*([f"batch-nlp {release}"] if release else []), *other_libraries(manifest)])
    return CannotRunError(
        f"{version}: cannot be run by this installation. {why}. Train a new model with "
        f"pipeline=training, or install the versions that trained it{f' ({trained_with})' if trained_with else ''}."
    )
