"""Checkpoints of a fit that may be killed: which fit they belong to, which of them are whole, which are kept."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batch_nlp.storage.atomic import sync_folder, write_json

# Written last: a checkpoint without it was being written when its process was killed
COMPLETE = "complete.json"
_NAME = re.compile(r"checkpoint-(\d+)")


def fingerprint(settings: Mapping[str, Any], texts: Iterable[str], *arrays: NDArray[Any] | bytes) -> str:
    """Return what tells one fit from another; only a fit with the same one may go on from its checkpoints.

    Parameters
    ----------
    settings : mapping
        Every parameter that the weights depend on.
    texts : iterable of str
        What is learned from, in its order.
    *arrays : ndarray or bytes
        Labels, weights of the rows, weights that the fit starts from.
    """
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for text in texts:
        content = text.encode("utf-8", "surrogatepass")
        digest.update(b"%d:%b" % (len(content), content))
    for array in arrays:
        content = array if isinstance(array, bytes) else np.ascontiguousarray(array).tobytes()
        digest.update(b"%d:%b" % (len(content), content))
    return digest.hexdigest()[:16]


def complete(checkpoint: Path) -> None:
    """Mark a checkpoint as whole, once its files are durable."""
    for file in checkpoint.rglob("*"):
        if file.is_file():
            with file.open("rb+") as opened:
                os.fsync(opened.fileno())
    sync_folder(checkpoint)
    write_json(checkpoint / COMPLETE, {"step": _step(checkpoint)})


def newest_complete(folder: Path) -> Path | None:
    """Return the newest whole checkpoint of a fit, or None; those that are not whole are removed."""
    found = _checkpoints(folder)
    for checkpoint in found:
        if not (checkpoint / COMPLETE).is_file():
            _remove(checkpoint)
    whole = [checkpoint for checkpoint in found if checkpoint.exists()]
    return whole[-1] if whole else None


def keep(folder: Path, best: Path | None, number: int = 2) -> None:
    """Remove all checkpoints but the newest and the best one, filled up to `number` by the ones before the newest."""
    found = _checkpoints(folder)
    kept = {found[-1], best} if best is not None else {found[-1]}
    for checkpoint in reversed(found):
        if len(kept) < number:
            kept.add(checkpoint)
    for checkpoint in found:
        if checkpoint not in kept:
            _remove(checkpoint)


def remove_all(folder: Path) -> None:
    """Remove the checkpoints of a fit that has ended, and their folder."""
    for checkpoint in _checkpoints(folder):
        _remove(checkpoint)
    shutil.rmtree(folder)


def _checkpoints(folder: Path) -> list[Path]:
    return sorted((path for path in folder.glob("checkpoint-*") if _NAME.fullmatch(path.name)), key=_step)


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _remove(checkpoint: Path) -> None:
    # first the mark: what a kill leaves of the folder must not pass for a whole checkpoint
    (checkpoint / COMPLETE).unlink(missing_ok=True)
    shutil.rmtree(checkpoint)
