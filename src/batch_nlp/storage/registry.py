"""The model registry: one folder per version, and one pointer to the champion.

Publishing checks the candidate in a fresh process, copies it as the next version, and moves the pointer last.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess  # nosec B404 # starts only this Python, in check_in_fresh_process
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from loguru import logger
from numpy.typing import NDArray

from batch_nlp.errors import DataError, printable
from batch_nlp.fields import Fields
from batch_nlp.storage.atomic import replacing_folder
from batch_nlp.storage.manifest import read_manifest
from batch_nlp.storage.model_folder import open_model
from batch_nlp.storage.outcomes import abstained_name, outcomes
from batch_nlp.storage.problem import DamageError, Problem
from batch_nlp.storage.seal import read_sealed, write_sealed

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

_VERSION = re.compile(r"v(\d{4,})")
_POINTER_KEYS = {"version", "previous", "published_at"}


@dataclass(frozen=True)
class Model:
    """A published model: its version, such as ``v0003``, the pipeline that predicts, and the manifest."""

    version: str
    pipeline: Pipeline
    manifest: dict[str, Any]

    def __repr__(self) -> str:
        # printing a pipeline takes seconds, and the diagram of a step prints its model repeatedly
        return f"Model({self.version})"

    @property
    def fields(self) -> Fields:
        """The fields of a message that the model reads."""
        return Fields.from_list(self.manifest["fields"])

    @property
    def outcomes(self) -> list[str]:
        """The names that the model can predict, by their index: its classes and, if it abstains, a name after them."""
        return outcomes(list(self.manifest["classes"]), abstained_name(self.manifest))

    def decide(self, probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the index of the outcome that the model chooses, shape (n,), from probabilities of shape (n, k)."""
        return np.asarray(self.pipeline.steps[-1][1].decide(probabilities), dtype=np.int64)


class Registry:
    """Versions of the model below ``paths.models``; one of them is the champion."""

    def __init__(self, root: Path) -> None:
        self.root, self._pointer = root, root / "champion.json"

    def versions(self) -> list[str]:
        """Return all versions, oldest first."""
        if not self.root.is_dir():
            return []
        found = [path.name for path in self.root.iterdir() if path.is_dir() and _VERSION.fullmatch(path.name)]
        return sorted(found, key=lambda name: int(name[1:]))

    def _read_pointer(self) -> dict[str, Any]:
        versions = self.versions()
        by_hand = (
            "Write the version to use into it by hand; the decision log (08_reporting/decisions.jsonl) names the last "
            f'champion. For example: {{"version": "{versions[-1] if versions else "v0001"}", "previous": []}}. '
            f"Existing versions: {', '.join(versions)}."
        )
        if not self._pointer.exists():
            if versions:  # the pointer is written before the first version
                raise DamageError(Problem(self._pointer, "missing", by_hand))
            return {"version": None, "previous": []}
        pointer = read_sealed(self._pointer, by_hand, unsealed=True)
        previous = pointer.get("previous")
        named = [pointer.get("version"), *(previous if isinstance(previous, list) else [previous])]
        # a person writes no time of publication; a run writes it even before the first version
        first = named == [None] and "published_at" in pointer
        known = all(isinstance(name, str) and _VERSION.fullmatch(name) for name in named)
        if not isinstance(previous, list) or not (first or known) or set(pointer) - _POINTER_KEYS:
            raise DamageError(
                Problem(self._pointer, f"damaged; it does not name versions: {printable(named)}", by_hand)
            )
        return pointer

    def _point_at(self, version: str | None, previous: list[str], now: datetime) -> None:
        write_sealed(self._pointer, {"version": version, "previous": previous, "published_at": now.isoformat()})

    def champion_version(self) -> str | None:
        """Return the champion's version, None before the first publication."""
        version = self._read_pointer()["version"]
        return None if version is None else str(version)

    def previous(self) -> list[str]:
        """Return the versions that a rollback tries, in this order."""
        return list(self._read_pointer()["previous"])

    def champion_manifest(self) -> dict[str, Any] | None:
        """Return the champion's manifest after checking its files, None before the first publication."""
        version = self.champion_version()
        return None if version is None else read_manifest(self.root / version)

    def champion(self) -> Model | None:
        """Load the champion after checking its files, None before the first publication."""
        version = self.champion_version()
        return None if version is None else self.load(version)

    def load(self, version: str) -> Model:
        """Load a version after checking its files; raise a `DataError` if it is damaged or cannot be run here."""
        manifest = read_manifest(self.root / version)
        return Model(version, open_model(self.root / version, manifest), manifest)

    def publish(self, candidate: Path, now: datetime, keep: int) -> str:
        """Make a candidate the champion, and return its version.

        The candidate's folder has the model, its manifest and its check file. Of all versions, `keep` stay; the
        champion and its predecessor always do. Raises a `DataError` if a fresh process cannot load the candidate, or
        gets other predictions than the stored ones; the champion stays.
        """
        check_in_fresh_process(candidate)
        pointer = self._read_pointer()
        if not self._pointer.exists():
            self._point_at(None, [], now)
        number = max((int(name[1:]) for name in [*self.versions(), *pointer["previous"]]), default=0) + 1
        version = f"v{number:04d}"
        with replacing_folder(self.root / version) as folder:
            for file in candidate.iterdir():
                shutil.copyfile(file, folder / file.name)
        previous = [name for name in (pointer["version"], *pointer["previous"]) if name]
        self._point_at(version, previous[: keep - 1], now)
        self._prune({version, *previous[: max(keep - 1, 1)]})
        return version

    def rollback(self, now: datetime, check: Callable[[str], object]) -> tuple[str, str]:
        """Make the newest usable previous version the champion, and return the old and the new champion.

        `check` raises a `DataError` for a version that is damaged or cannot be run. If no previous version is usable,
        the champion stays, with a `DataError`.
        """
        pointer = self._read_pointer()
        old, previous = pointer["version"], list(pointer["previous"])
        if old is None:
            raise DataError(f"{self.root}: there is no champion yet. Train one with pipeline=training.")
        while previous:
            new = previous.pop(0)
            try:
                check(new)
            except DataError as error:
                logger.error("{} is skipped: {}", new, error)
                continue
            self._point_at(new, previous, now)
            return old, new
        raise DataError(f"{self.root}: no version before {old} can be run. Train a new one with pipeline=training.")

    def _prune(self, keep: set[str]) -> None:
        for version in self.versions():
            if version not in keep:
                shutil.rmtree(self.root / version)
                logger.info("Registry: removed version {}", version)


def check_in_fresh_process(folder: Path) -> None:
    """Load a model in a new Python process; raise a `DataError` if it fails, or predicts differently than stored."""
    command = [sys.executable, "-m", "batch_nlp.storage.model_folder", str(folder)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)  # nosec B603 # this Python, with fixed arguments
    if result.returncode < 0:
        raise DataError(
            f"{folder}: the process that checks the new model was ended by signal {-result.returncode} without a "
            "result; the system sends signal 9 when memory runs out. The champion stays. Free memory, then train again."
        )
    if result.returncode != 0:
        raise DataError(f"{folder}: the model does not work in a fresh process: {result.stderr.strip()[-2000:]}")
