"""Whether a raw file can be used at all; one that cannot is set aside singly, before any of its rows is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from batch_nlp.errors import DataError, printable
from batch_nlp.storage.raw.file_names import source_name
from batch_nlp.storage.raw.formats import check_readable
from batch_nlp.storage.raw.opening import DETECTED, LINKS, TextForm, confine


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


def is_utf8(name: str) -> bool:
    """Say whether the name of a file can be written down; bytes that are no UTF-8 are lone surrogates in it."""
    return name.isascii() or not any("\udc80" <= character <= "\udcff" for character in name)


def split_allowed(files: Iterable[Path], folder: Path, follow_links: bool) -> tuple[list[Path], list[SetAside]]:
    """Part files of a drop folder from those that must not be opened, and hold what is opened there to it.

    Parameters
    ----------
    files : iterable of Path
    folder : Path
        The drop folder. It may be a link itself: that is for those who set it, not for those who may write to it.
    follow_links : bool
        Whether symbolic links may lead out of it.

    Returns
    -------
    tuple of list of Path and list of SetAside
        Files that may be opened; files whose name cannot be written down, as records and reports must, or behind
        links, each with what is wrong with it.
    """
    confine(folder, follow_links)
    root, allowed, refused = folder.resolve(), list[Path](), list[SetAside]()
    for file in files:
        if not is_utf8(file.name + file.parent.name):
            problem = "its name is not UTF-8. Rename it (convmv does whole folders)."
        elif not follow_links and not file.resolve().is_relative_to(root):
            problem = f"a symbolic link leads out of the folder. {LINKS}"
        else:
            allowed.append(file)
            continue
        refused.append(SetAside(printable(source_name(file)), f"{printable(file, None)}: {problem}"))
    return allowed, refused


def unusable(file: Path, form: TextForm = DETECTED) -> SetAside | None:
    """Return a file with what keeps its rows from being read to the end; None where nothing does.

    Parameters
    ----------
    file : Path
        Its whole content is read.
    form : TextForm
        How text files are written.
    """
    try:
        check_readable(file, form)
    except (DataError, OSError) as error:
        return set_aside(file, error)
    return None


def set_aside(file: Path, error: DataError | OSError) -> SetAside:
    """Return a file of a drop folder with the error that reading it gave."""
    if isinstance(error, OSError):
        error = DataError(f"{file}: cannot be read ({error.strerror or error}). Put a whole file in its place.")
    return SetAside(printable(source_name(file)), str(error))
