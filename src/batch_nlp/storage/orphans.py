"""Puts files aside that nothing refers to, instead of deleting them."""

from __future__ import annotations

import shutil
from pathlib import Path

from batch_nlp.storage.atomic import sync_folder
from batch_nlp.storage.seal import remove_sealed


class Orphans:
    """The folder for files that nothing refers to: they may be the last trace of something, so they are kept.

    `root` is ``paths.data``, and `run` the name of the run that puts things aside.
    """

    def __init__(self, root: Path, run: str) -> None:
        self._root, self._folder = root, root / "09_inference" / "orphans" / run

    def take(self, path: Path) -> str:
        """Move a file or folder here, keeping its path below the root, and return what was done."""
        target = self._folder / path.relative_to(self._root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
        sync_folder(target.parent)
        sync_folder(path.parent)
        remove_sealed([path])  # only its entry is left
        return f"moved to {target}"
