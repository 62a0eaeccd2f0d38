"""The registered model in MLflow: one version per candidate that reached the gate, and the alias champion."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from batch_nlp.config import Config
from batch_nlp.storage.manifest import MANIFEST_FILE
from batch_nlp.tracking.address import model_name
from batch_nlp.tracking.tracked_training import TrackedTraining

CHAMPION = "champion"


def manifest_of(folder: Path) -> dict[str, Any]:
    """Return the manifest of a model folder."""
    found: dict[str, Any] = json.loads((folder / MANIFEST_FILE).read_text())
    return found


def register(client: Any, config: Config, training: TrackedTraining, run: Any) -> None:
    """Register the folder of a candidate as a version, and set its alias.

    The folder becomes an artefact of the run.
    """
    name, id_ = model_name(config), run.info.run_id
    client.log_artifacts(id_, str(training.candidate), "model/data")
    client.log_text(id_, _model_file(id_), "model/MLmodel")
    with _tolerating("RESOURCE_ALREADY_EXISTS"):
        client.create_registered_model(name)
    sha256 = manifest_of(training.candidate)["sha256"]
    labels = {"run": training.run, "version": training.version, "manifest": sha256}
    version = client.create_model_version(
        name,
        f"{run.info.artifact_uri}/model",
        id_,
        tags={f"batch_nlp.{key}": value for key, value in labels.items() if value},
    )
    client.set_registered_model_alias(name, training.alias, version.version)
    if training.alias == CHAMPION and training.replaced:
        _remove_alias(client, config, training.replaced, but=name)


def restore(client: Any, config: Config, old: Path, new: Path) -> None:
    """Set the alias champion to an earlier version, found by the hash of its manifest.

    If MLflow does not know the version, no version has the alias afterwards, and a `LookupError` is raised.
    """
    manifest = manifest_of(new)
    name = model_name(config, manifest["dataset"])
    found = client.search_model_versions(f"name = '{name}'")
    same = [version for version in found if version.tags.get("batch_nlp.manifest") == manifest["sha256"]]
    if not same:
        _remove_alias(client, config, old)
        raise LookupError(f"{name} has no version for {new.name}: it was trained without tracking or tracked elsewhere")
    client.set_registered_model_alias(name, CHAMPION, same[0].version)
    _remove_alias(client, config, old, but=name)


def _model_file(run_id: str) -> str:
    """Return the text of ``MLmodel``; MLflow's own way of writing it spends seconds on collecting requirements."""
    model = import_module("mlflow.models").Model(artifact_path="model", run_id=run_id)
    model.add_flavor(
        "python_function",
        loader_module="batch_nlp.tracking.pyfunc",
        data="data",
        python_version=platform.python_version(),
    )
    return str(model.to_yaml())


def _remove_alias(client: Any, config: Config, version: Path, *, but: str | None = None) -> None:
    """Remove the alias champion from the registered model of a version, unless its name is `but`."""
    try:
        name = model_name(config, manifest_of(version)["dataset"])
    except (OSError, ValueError, KeyError):  # a damaged version, which may be why it was replaced
        name = model_name(config)
    if name == but:
        return
    with _tolerating("RESOURCE_DOES_NOT_EXIST"):
        client.delete_registered_model_alias(name, CHAMPION)


@contextmanager
def _tolerating(code: str) -> Iterator[None]:
    """Ignore the error of MLflow with a given code."""
    try:
        yield
    except import_module("mlflow.exceptions").MlflowException as error:
        if error.error_code != code:
            raise
