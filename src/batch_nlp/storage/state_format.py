"""The format of the state in a folder: an older release does not touch what a newer one wrote."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

from batch_nlp.errors import DataError
from batch_nlp.storage.orphans import Orphans
from batch_nlp.storage.problem import DamageError, Problem, problems_of
from batch_nlp.storage.seal import read_object, read_sealed, write_sealed

# Raise this number when runs write what earlier releases cannot read. 1: without this file; 2: with it; 3: files and
# messages of batches are remembered apart from their records, which may be removed; 4: one format of seals
STATE_FORMAT = 4
FORMAT_FILE = "format.json"
_ADVICE = (
    "Restore it from a backup; or, if no newer release than this one has worked there, pipeline=verify "
    "verify.repair=true writes it again."
)


def check_format(*folders: Path, sound: bool = True) -> None:
    """Raise a `DataError` if a newer release wrote to one of the folders in a format that this one does not know.

    With `sound`, also if the file that says so is damaged.
    """
    for folder in folders:
        if sound:
            check_sound(folder)
        found, release = _read(folder / FORMAT_FILE)
        if found > STATE_FORMAT:
            raise DataError(
                f"{folder}: written by a newer release (format {found}, batch-nlp {release}; this is batch-nlp "
                f"{version('batch-nlp')}, which knows formats up to {STATE_FORMAT}). Nothing is damaged. "
                "Install that release or a later one, or restore a backup from before the upgrade."
            )


def check_sound(folder: Path) -> None:
    """Raise a `DamageError` if the file of a folder is damaged; a newer release may write it differently."""
    path = folder / FORMAT_FILE
    if not path.exists() or _read(path)[0] > STATE_FORMAT:
        return
    try:
        content = read_sealed(path, _ADVICE, unsealed=True)
        int(content["format"]), str(content["release"])
    except (ValueError, KeyError, TypeError) as error:
        raise DamageError(Problem(path, f"damaged ({type(error).__name__}: {error})", _ADVICE)) from error


def problems(*folders: Path) -> list[Problem]:
    """Return the damaged format files of some folders; until they are repaired, only status and verify work."""

    def repair(folder: Path, _: Orphans) -> str:
        (folder / FORMAT_FILE).unlink()
        enter_format(folder)
        return "written again"

    return [
        replace(problem, repair=partial(repair, folder))
        for folder in folders
        for problem in problems_of(partial(check_sound, folder))
    ]


def enter_format(*folders: Path) -> None:
    """Write the format of this release, after `check_format`; only the holder of the lock may."""
    for folder in folders:
        if _read(folder / FORMAT_FILE)[0] != STATE_FORMAT:
            write_sealed(folder / FORMAT_FILE, {"format": STATE_FORMAT, "release": version("batch-nlp")})


def _read(file: Path) -> tuple[int, str]:
    """Return format and release, those of the first format if the file cannot be read."""
    try:
        content = read_object(file, _ADVICE)
        return int(content["format"]), str(content["release"])
    except (DamageError, ValueError, KeyError, TypeError):
        return 1, "0.1.0"
