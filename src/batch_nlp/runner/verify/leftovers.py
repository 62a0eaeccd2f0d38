"""Checks for what killed runs left under temporary names."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from batch_nlp.runner.context import Run
from batch_nlp.runner.verify.finding import Finding, Part, Severity, count
from batch_nlp.storage.atomic import unfinished

_NAME = "unfinished"


def check_leftovers(run: Run) -> Part:
    """Find temporary files and folders of runs that were killed, in the folders that only runs write to."""
    folders = (*run.layers.own_folders, run.registry.root)
    left = sorted({path for folder in folders for path in unfinished(folder)})
    return Part(
        _NAME,
        f"{count(len(left), 'temporary name')} that killed runs left" if left else "killed runs left nothing",
        [
            Finding(
                _NAME,
                path,
                "a run was killed while it wrote this; no reader sees it",
                "Nothing: the next run that works alone removes it, and so does verify.repair=true",
                Severity.WARNING,
                partial(_remove, path),
                passing=True,
            )
            for path in left
        ],
    )


def _remove(path: Path) -> str:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return "removed"
