"""How the settings of a training differ from those that the champion was trained with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from batch_nlp.config import Config, plain
from batch_nlp.errors import examples

# Settings of training that say how a job works and judges, and not what a model is
OF_THE_JOB = ("rows_in_memory", "metric", "thresholds", "gate", "force", "keep_versions")
_OF_ONE_RUN = {*OF_THE_JOB, "promote", "window"}


def other_recipe(config: Config, version: str, champion: Mapping[str, Any]) -> str:
    """Return what of the champion's model and training this run does not take, and how to keep it; empty if all is.

    Parameters
    ----------
    config : Config
    version : str
        Of the champion.
    champion : mapping
        Its manifest.
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
    keep = "to keep the champion's, repeat them"
    if model != config.model.name:
        line = f"defaults: [override /model@_global_.model: {model}]"
        keep += f"; to keep its model for good, write into the dataset's file {line}"
    return f"The champion {version} was trained with {examples(found)}. Each command has settings of its own: {keep}."


def _differences(ours: Mapping[str, Any], theirs: Mapping[str, Any], key: str) -> Iterator[str]:
    """Return the settings that differ, of those that both versions of the project know."""
    for name, value in ours.items():
        if name not in theirs or value == theirs[name]:
            continue
        if isinstance(value, dict) and isinstance(theirs[name], dict):
            yield from _differences(value, theirs[name], f"{key}.{name}")
        else:
            yield f"{key}.{name}={theirs[name]} rather than {value}"
