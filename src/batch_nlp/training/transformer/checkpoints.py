"""Checkpoints of a fit that may be killed: which fit they belong to, which are complete, and which are kept."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batch_nlp.storage.atomic import sync_folder, write_json

# Written last: a checkpoint without it is incomplete, because its process was killed
COMPLETE = "complete.json"
_NAME = re.compile(r"checkpoint-(\d+)")


def fit_fingerprint(settings: Mapping[str, Any], texts: Iterable[str], *arrays: NDArray[Any] | bytes) -> str:
    """Return a fingerprint of a fit; only a fit with the same fingerprint may resume from its checkpoints.

    It covers every parameter that the weights depend on, the texts in their order, labels, weights of the rows, and
    the initial weights of the network.
    """
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    of_texts = (text.encode("utf-8", "surrogatepass") for text in texts)
    of_arrays = (array if isinstance(array, bytes) else np.ascontiguousarray(array).tobytes() for array in arrays)
    for content in chain(of_texts, of_arrays):
        digest.update(b"%d:%b" % (len(content), content))
    return digest.hexdigest()[:16]


def complete(checkpoint: Path) -> None:
    """Sync the files of a checkpoint, then mark it as complete."""
    for file in checkpoint.rglob("*"):
        if file.is_file():
            with file.open("rb+") as opened:
                os.fsync(opened.fileno())
    sync_folder(checkpoint)
    write_json(checkpoint / COMPLETE, {"step": _step(checkpoint)})


def newest_complete(folder: Path) -> Path | None:
    """Return the newest complete checkpoint of a fit, or None; incomplete ones are removed."""
    found = _checkpoints(folder)
    for checkpoint in found:
        if not (checkpoint / COMPLETE).is_file():
            _remove(checkpoint)
    return next((checkpoint for checkpoint in reversed(found) if checkpoint.exists()), None)


def keep(folder: Path, best: Path | None) -> None:
    """Keep the newest checkpoint and the best one, or the one before if the newest is the best; remove the others."""
    *earlier, _ = _checkpoints(folder)
    kept = best if best in earlier or not earlier else earlier[-1]
    for checkpoint in earlier:
        if checkpoint != kept:
            _remove(checkpoint)


def remove_all(folder: Path) -> None:
    """Remove the checkpoints of a finished fit, and their folder."""
    for checkpoint in _checkpoints(folder):
        _remove(checkpoint)
    shutil.rmtree(folder)


def _checkpoints(folder: Path) -> list[Path]:
    return sorted((path for path in folder.glob("checkpoint-*") if _NAME.fullmatch(path.name)), key=_step)


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _remove(checkpoint: Path) -> None:
    # the mark first, so that a partly removed checkpoint does not count as complete after a kill
    (checkpoint / COMPLETE).unlink(missing_ok=True)
    shutil.rmtree(checkpoint)
