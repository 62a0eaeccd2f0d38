"""Whether a raw file can be used at all; one that cannot is set aside singly, before any of its rows is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from batch_nlp.errors import DataError, printable
from batch_nlp.storage.raw_formats import check_readable
from batch_nlp.storage.raw_names import source_name
from batch_nlp.storage.raw_open import DETECTED, TextForm


@dataclass(frozen=True)
class SetAside:
    """A file that a run leaves out, and does the others without.

    Parameters
    ----------
    name : str
        As it can be shown.
    problem : str
        What is wrong with it, and what to do: for the log, since it may quote the file.
    """

    name: str
    problem: str


def unusable(file: Path, form: TextForm = DETECTED) -> SetAside | None:
    """Return a file of a drop folder with what keeps its rows from being read to the end; None where nothing does.

    Parameters
    ----------
    file : Path
        Its whole content is read.
    form : TextForm
        How text files are written.
    """
    if found := ill_named(file):
        return found
    try:
        check_readable(file, form)
    except DataError as error:
        return set_aside(file, error)
    return None


def ill_named(file: Path) -> SetAside | None:
    """Return a file whose name cannot be written down, as records and reports must."""
    try:
        source_name(file).encode()
    except UnicodeEncodeError:
        problem = "its name is not UTF-8. Rename it (convmv does it for whole folders)."
        return SetAside(printable(source_name(file)), f"{printable(file, None)}: {problem}")
    return None


def set_aside(file: Path, error: DataError | OSError) -> SetAside:
    """Return a file of a drop folder with the error that reading it gave."""
    if isinstance(error, OSError):
        error = DataError(f"{file}: cannot be read ({error.strerror or error}). Put a whole file in its place.")
    return SetAside(printable(source_name(file)), str(error))
