"""Whether data and models are where they should be: a disk that is not mounted must not look like a first day."""

from __future__ import annotations

import shlex
from pathlib import Path

from batch_nlp.config import Config, Stage
from batch_nlp.dataset.drop_folders import check_marker
from batch_nlp.errors import DataError

# What runs of any release leave behind, and backups have
_SIGNS = {
    "paths.data": (".lock", "08_reporting/decisions.jsonl", "04_feature/*/files.json"),
    "paths.models": (".lock", "champion.json", "v*/manifest.json"),
}
# Stages that a new project can begin with
_FIRST = {Stage.sample, Stage.feature, Stage.training}


def check_places(config: Config) -> None:
    """Refuse data or models of which nothing is there though there must be something.

    A first run finds neither. Each run leaves traces in both folders, so one alone without any is the wrong folder or
    an unmounted disk; and to score messages, something must have been trained.

    Raises
    ------
    DataError
    """
    folders = {"paths.data": Path(config.paths.data), "paths.models": Path(config.paths.models)}
    for key, folder in folders.items():
        check_marker(config, key, folder)
    used = {key: any(any(folder.glob(sign)) for sign in _SIGNS[key]) for key, folder in folders.items()}
    places = {key: f"{key}={folder}" for key, folder in folders.items()}
    why = "a typing error, or a disk that is not mounted?"
    if len(set(used.values())) == 2:
        new, old = sorted(used, key=used.__getitem__)
        quoted = shlex.quote(str(folders[new]))
        raise DataError(
            f"{places[new]}: nothing of earlier runs is there, and {places[old]} has some: {why} Correct the setting "
            f"or mount the disk. If it is to be a new folder: mkdir -p {quoted} && touch {quoted}/.lock"
        )
    stages = set(config.pipeline.stages)
    if Stage.inference in stages and not stages & _FIRST and not any(used.values()):
        raise DataError(
            f"{' and '.join(places.values())}: no run has ever worked there: {why} Correct the settings or mount the "
            "disk. In a new project, train a model first: pipeline=training or pipeline=fti."
        )
