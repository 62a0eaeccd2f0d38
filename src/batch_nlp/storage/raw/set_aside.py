"""Set single unusable files aside before any of their rows are read."""

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
    """A file that a run leaves out, by its printable name, while it reads the others.

    `problem` says what is wrong and what to do; it is for the log, since it may quote the file.
    """

    name: str
    problem: str


def is_utf8(name: str) -> bool:
    """Say whether a file name is valid UTF-8; invalid bytes appear as lone surrogates."""
    return name.isascii() or not any("\udc80" <= character <= "\udcff" for character in name)


def split_allowed(files: Iterable[Path], folder: Path, follow_links: bool) -> tuple[list[Path], list[SetAside]]:
    """Split the files of a drop folder into allowed and refused ones, and confine reading to the folder.

    Refused are names that are not UTF-8, and, without `follow_links`, symbolic links that lead out of the folder. The
    folder may be a link itself, since whoever sets the path is trusted.
    """
    confine(folder, follow_links)
    root, allowed, refused = folder.resolve(), list[Path](), list[SetAside]()
    for file in files:
        if not is_utf8(file.name + file.parent.name):
            problem = "the name is not UTF-8. Rename the file (convmv renames whole folders)."
        elif not follow_links and not file.resolve().is_relative_to(root):
            problem = f"a symbolic link leads out of the folder. {LINKS}"
        else:
            allowed.append(file)
            continue
        refused.append(SetAside(printable(source_name(file)), f"{printable(file, None)}: {problem}"))
    return allowed, refused


def unusable(file: Path, form: TextForm = DETECTED) -> SetAside | None:
    """Return a file that cannot be read to its end, with the reason; None for a readable file."""
    try:
        check_readable(file, form)
    except (DataError, OSError) as error:
        return set_aside(file, error)
    return None


def set_aside(file: Path, error: DataError | OSError) -> SetAside:
    """Return a file with the error that it raised."""
    if isinstance(error, OSError):
        error = DataError(f"{file}: cannot be read ({error.strerror or error}). Replace it by a complete file.")
    return SetAside(printable(source_name(file)), str(error))
