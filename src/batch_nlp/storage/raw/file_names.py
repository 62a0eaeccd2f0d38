"""Names of raw files: which are read, as what, and to which table they belong."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable
from contextlib import suppress
from fnmatch import fnmatchcase, translate
from pathlib import Path

_TEXT = (".json", ".jsonl", ".ndjson", ".csv", ".tsv")
_PACKED = (".gz", ".zst")
# Upper and lower case make no difference
ENDINGS = (*(ending + packed for ending in _TEXT for packed in ("", *_PACKED)), ".parquet")
ENDINGS_IN_WORDS = f"{', '.join(_TEXT)} (each also {' or '.join(_PACKED)}) or .parquet"
# Spark writes it into a folder when all parts are there
_COMPLETE = "_SUCCESS"
_PART = "part-"
_NUMBER = re.compile(r"(\d+)")


def ending_of(name: str) -> str:
    """Return the known ending of a file name in lower case, empty where it has none.

    Examples
    --------
    >>> ending_of("Reviews.JSON.gz")
    '.json.gz'
    """
    lower = name.lower()
    for ending in ENDINGS:  # a generator takes three times as long, and folders hold thousands of files
        if lower.endswith(ending):
            return ending
    return ""


def kind_of(file: Path) -> str:
    """Return the ending that says how a file is written, without that of its compression; a part may have its folder's.

    Examples
    --------
    >>> kind_of(Path("reviews.CSV.gz")), kind_of(Path("reviews.jsonl/part-00000"))
    ('.csv', '.jsonl')
    """
    ending = ending_of(file.name) or ending_of(file.parent.name)
    return ending.removesuffix(packing_of(ending))


def packing_of(name: str) -> str:
    """Return the ending of a compressed file's name, in lower case; empty for one that is not compressed."""
    return next((packed for packed in _PACKED if name.lower().endswith(packed)), "")


def find_files(folder: Path, pattern: str, but: Container[str] = ()) -> list[Path]:
    """Return the files of a table, sorted by name.

    Parameters
    ----------
    folder : Path
        Where to look; not below it, but for the parts in folders such as Spark writes.
    pattern : str
        Pattern of the file name without its ending, for example ``*review*``; for parts, of their folder's name.
    but : container of str
        Names of files below the folder that are left out.

    Returns
    -------
    list of Path
        Files with one of the known endings; hidden and temporary ones are left out.
    """
    if not folder.is_dir():
        return []
    found: list[Path] = []
    # of thousands of names, most are told apart before their ending is cut off
    seems_to_fit = re.compile(translate(f"{pattern}*")).match
    with os.scandir(folder) as entries:
        likely = [entry for entry in entries if seems_to_fit(entry.name)]
    fitting = [entry for entry in likely if entry.name not in but and _fits(entry.name, pattern)]
    for entry in sorted(fitting, key=lambda entry: entry.name):
        path = folder / entry.name
        # the folder knows what an entry is, but for links
        kind = path if entry.is_symlink() else entry
        if kind.is_dir():
            try:
                found += sorted(part for part in find_parts(path) if f"{entry.name}/{part.name}" not in but)
            except OSError:  # the folder stands for its parts, and is told as a file that cannot be read
                found += [path] * bool(ending_of(entry.name))
        elif ending_of(entry.name) and kind.is_file():
            found.append(path)
    return found


def stat_files(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of change (nanoseconds) of all files in a folder and in the folders there, by name below it.

    Hidden ones are left out, and links, which may lead anywhere.
    """
    found, waiting = dict[str, tuple[int, int]](), [(str(folder), "")]
    while waiting:
        path, prefix = waiting.pop()
        # what cannot be looked at is told where it is read
        with suppress(OSError), os.scandir(path) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    found[prefix + entry.name] = status.st_size, status.st_mtime_ns
                elif not prefix and entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, f"{entry.name}/"))
    return found


def _fits(name: str, pattern: str) -> bool:
    return not name.startswith(".") and fnmatchcase(name[: len(name) - len(ending_of(name))], pattern)


def find_parts(folder: Path) -> list[Path]:
    """Return the parts in a folder that is one table's; empty for any other folder.

    The name of such a folder has a known ending, and its files are the parts, those that Spark writes without an ending
    included. In a folder of another name they are what Spark calls parts, once it says that all of them are there.
    """
    if ending_of(folder.name):
        found = [path for path in folder.iterdir() if ending_of(path.name) or path.name.startswith(_PART)]
    elif (folder / _COMPLETE).exists():
        found = [path for path in folder.glob(f"{_PART}*") if ending_of(path.name)]
    else:
        found = []
    return [path for path in found if path.is_file() and not path.name.startswith((".", "_"))]


def source_name(file: Path) -> str:
    """Return what a file is called where its rows are told of; parts of several folders have the same names.

    Examples
    --------
    >>> source_name(Path("raw/sat.jsonl/part-00000.json")), source_name(Path("raw/sun.json"))
    ('sat.jsonl/part-00000.json', 'sun.json')
    """
    is_part = file.name.startswith(_PART) or ending_of(file.parent.name)
    return f"{file.parent.name}/{file.name}" if is_part else file.name


def table_name(file: Path, folder: Path) -> str:
    """Return the name that says which table a file found in a folder belongs to: that of a part's own folder.

    Examples
    --------
    >>> table_name(Path("raw/reviews/part-00000.json"), Path("raw")), table_name(Path("raw/sun.json"), Path("raw"))
    ('reviews.json', 'sun.json')
    """
    if file.parent == folder:
        return file.name
    return file.parent.name if ending_of(file.parent.name) else f"{file.parent.name}{ending_of(file.name)}"


def natural_key(path: Path) -> tuple[list[str | int], str]:
    """Return what sorts paths as people count.

    Examples
    --------
    >>> sorted([Path("review_10.json"), Path("review_9.json")], key=natural_key)
    [PosixPath('review_9.json'), PosixPath('review_10.json')]
    """
    parts: list[str | int] = list(_NUMBER.split(str(path)))
    parts[1::2] = map(int, parts[1::2])
    return parts, str(path)


def find_unread(folder: Path, read: Iterable[Path], known: Iterable[str] = ()) -> list[Path]:
    """Return what else lies in a folder, sorted by name.

    Parameters
    ----------
    folder : Path
    read : iterable of Path
        What is read, in the folder or below it.
    known : iterable of str
        Names of files, in the folder or below it, that were read before.

    Returns
    -------
    list of Path
        Files and folders that are neither read nor hold what is; hidden ones, empty folders and the marks that Spark
        leaves (``_SUCCESS``) are left out.
    """
    if not folder.is_dir():
        return []
    depth = len(folder.parts)
    told = {*(file.parts[depth] for file in read), *(name.partition("/")[0] for name in known)}
    with os.scandir(folder) as entries:
        others = sorted(entry.name for entry in entries if entry.name not in told and not entry.name.startswith("."))
    paths = [folder / name for name in others]
    return [
        path for path in paths if not (path.name.startswith("_") and not path.suffix) and not _is_empty_folder(path)
    ]


def _is_empty_folder(path: Path) -> bool:
    try:
        return path.is_dir() and not any(path.iterdir())
    except OSError:  # it may hold anything
        return False
