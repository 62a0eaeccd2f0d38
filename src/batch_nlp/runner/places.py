"""Checks that data and models are where they should be: an unmounted disk must not look like a new project."""

from __future__ import annotations

import shlex
from pathlib import Path

from batch_nlp.config import Config, Stage
from batch_nlp.dataset.drop_folders import check_marker
from batch_nlp.errors import DataError

# Traces of runs of any release, which backups contain too
_SIGNS = {
    "paths.data": (".lock", "08_reporting/decisions.jsonl", "04_feature/*/files.json"),
    "paths.models": (".lock", "champion.json", "v*/manifest.json"),
}
# Stages that a new project can start with
_FIRST = {Stage.sample, Stage.feature, Stage.training}


def check_places(config: Config) -> None:
    """Raise a `DataError` for a data folder or registry that is empty but should not be.

    Each run leaves traces in both folders. So if only one of them has traces, the other is the wrong folder or an
    unmounted disk. If neither has any, this is a first run, which must train before it can score.
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
            f"{places[new]} has no traces of earlier runs, but {places[old]} has: {why} Correct the setting or mount "
            f"the disk. To start with a new folder: mkdir -p {quoted} && touch {quoted}/.lock"
        )
    stages = set(config.pipeline.stages)
    if Stage.inference in stages and not stages & _FIRST and not any(used.values()):
        raise DataError(
            f"{' and '.join(places.values())} have no traces of earlier runs: {why} Correct the settings or mount the "
            "disk. In a new project, train a model first: pipeline=training or pipeline=fti."
        )
