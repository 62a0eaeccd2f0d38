"""Differences between the settings of a training run and those of the champion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from batch_nlp.config import Config, plain
from batch_nlp.errors import examples

# Settings of training that say how a job works and judges, not what the model is
OF_THE_JOB = ("rows_in_memory", "metric", "thresholds", "gate", "force", "keep_versions")
_OF_ONE_RUN = {*OF_THE_JOB, "promote", "window"}


def other_recipe(config: Config, version: str, champion: Mapping[str, Any]) -> str:
    """Return how this run's model and training settings differ from the champion's, and how to keep the champion's.

    The result is empty if nothing differs. `champion` is the champion's manifest.
    """
    theirs, model = champion["settings"], str(champion["settings"]["model"]["name"])
    training = {name: value for name, value in plain(config.training).items() if name not in _OF_ONE_RUN}
    found = []
    if model != config.model.name:
        found.append(f"model={model} rather than {config.model.name}")
    else:
        found += _differences(plain(config.model), theirs["model"], "model")
    found += _differences(training, theirs["training"], "training")
    if not found:
        return ""
    keep = "to keep the champion's settings, repeat them"
    if model != config.model.name:
        line = f"defaults: [override /model@_global_.model: {model}]"
        keep += f"; to keep its model for good, write {line} into the dataset's file"
    return f"The champion {version} was trained with {examples(found)}. Each command has its own settings: {keep}."


def _differences(ours: Mapping[str, Any], theirs: Mapping[str, Any], key: str) -> Iterator[str]:
    """Yield the settings that differ, among those that both versions of the project know."""
    for name, value in ours.items():
        if name not in theirs or value == theirs[name]:
            continue
        if isinstance(value, dict) and isinstance(theirs[name], dict):
            yield from _differences(value, theirs[name], f"{key}.{name}")
        else:
            yield f"{key}.{name}={theirs[name]} rather than {value}"
