"""Names of raw files: which files are read, in which format, and for which table."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable
from contextlib import suppress
from fnmatch import fnmatchcase, translate
from pathlib import Path

_TEXT = (".json", ".jsonl", ".ndjson", ".csv", ".tsv")
_PACKED = (".gz", ".zst")
# Case does not matter
ENDINGS = (*(ending + packed for ending in _TEXT for packed in ("", *_PACKED)), ".parquet")
ENDINGS_IN_WORDS = f"{', '.join(_TEXT)} (each also {' or '.join(_PACKED)}) or .parquet"
# Spark writes this file once all parts are complete
_COMPLETE = "_SUCCESS"
_PART = "part-"
_NUMBER = re.compile(r"(\d+)")


def ending_of(name: str) -> str:
    """Return the known extension of a file name in lower case, empty if it has none.

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
    """Return the extension of a file's format without compression; a part may inherit it from its folder.

    Examples
    --------
    >>> kind_of(Path("reviews.CSV.gz")), kind_of(Path("reviews.jsonl/part-00000"))
    ('.csv', '.jsonl')
    """
    ending = ending_of(file.name) or ending_of(file.parent.name)
    return ending.removesuffix(packing_of(ending))


def packing_of(name: str) -> str:
    """Return the extension of the compression in lower case, empty for an uncompressed file."""
    return next((packed for packed in _PACKED if name.lower().endswith(packed)), "")


def find_files(folder: Path, pattern: str, but: Container[str] = ()) -> list[Path]:
    """Return the files of a table, sorted by name: those with a known extension, without hidden and temporary ones.

    A folder is searched without its subfolders, except for folders of parts as Spark writes them. `pattern` fits the
    name without extension, for example ``*review*``; for parts, that of their folder. Names in `but` are left out.
    """
    if not folder.is_dir():
        return []
    found: list[Path] = []
    # a cheap filter first: there may be thousands of names
    seems_to_fit = re.compile(translate(f"{pattern}*")).match
    with os.scandir(folder) as entries:
        likely = [entry for entry in entries if seems_to_fit(entry.name)]
    fitting = [entry for entry in likely if entry.name not in but and _fits(entry.name, pattern)]
    for entry in sorted(fitting, key=lambda entry: entry.name):
        path = folder / entry.name
        # only links need another look at the disk
        kind = path if entry.is_symlink() else entry
        if kind.is_dir():
            try:
                found += sorted(part for part in find_parts(path) if f"{entry.name}/{part.name}" not in but)
            except OSError:  # report the folder itself as an unreadable file
                found += [path] * bool(ending_of(entry.name))
        elif ending_of(entry.name) and kind.is_file():
            found.append(path)
    return found


def size_and_time(path: Path) -> tuple[int, int]:
    """Return size and modification time (ns) of a file, by which a change is noticed."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def stat_files(folder: Path) -> dict[str, tuple[int, int]]:
    """Return name -> size and modification time (ns) of all files in a folder and its direct subfolders.

    Hidden files and links are left out.
    """
    found, waiting = dict[str, tuple[int, int]](), [(str(folder), "")]
    while waiting:
        path, prefix = waiting.pop()
        # unreadable entries are reported when they are read
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
    """Return the parts of the table that a folder holds; empty for any other folder.

    If the folder's name has a known extension, all its files are parts, including those that Spark writes without an
    extension. In other folders, Spark's ``part-*`` files count once Spark has marked the folder as complete.
    """
    if ending_of(folder.name):
        found = [path for path in folder.iterdir() if ending_of(path.name) or path.name.startswith(_PART)]
    elif (folder / _COMPLETE).exists():
        found = [path for path in folder.glob(f"{_PART}*") if ending_of(path.name)]
    else:
        found = []
    return [path for path in found if path.is_file() and not path.name.startswith((".", "_"))]


def source_name(file: Path) -> str:
    """Return a file's name for messages and records; a part includes its folder's name, to be unique.

    Examples
    --------
    >>> source_name(Path("raw/sat.jsonl/part-00000.json")), source_name(Path("raw/sun.json"))
    ('sat.jsonl/part-00000.json', 'sun.json')
    """
    is_part = file.name.startswith(_PART) or ending_of(file.parent.name)
    return f"{file.parent.name}/{file.name}" if is_part else file.name


def table_name(file: Path, folder: Path) -> str:
    """Return the name that is matched against the patterns of tables: for a part, that of its folder.

    Examples
    --------
    >>> table_name(Path("raw/reviews/part-00000.json"), Path("raw")), table_name(Path("raw/sun.json"), Path("raw"))
    ('reviews.json', 'sun.json')
    """
    if file.parent == folder:
        return file.name
    return file.parent.name if ending_of(file.parent.name) else f"{file.parent.name}{ending_of(file.name)}"


def natural_key(path: Path) -> tuple[list[str | int], str]:
    """Return a sort key that orders numbers in paths by value.

    Examples
    --------
    >>> sorted([Path("review_10.json"), Path("review_9.json")], key=natural_key)
    [PosixPath('review_9.json'), PosixPath('review_10.json')]
    """
    parts: list[str | int] = list(_NUMBER.split(str(path)))
    parts[1::2] = map(int, parts[1::2])
    return parts, str(path)


def find_unread(folder: Path, read: Iterable[Path], known: Iterable[str] = ()) -> list[Path]:
    """Return the files and folders that are in a folder but not among the files that are `read`, sorted by name.

    Files whose names are `known` were read before. Hidden entries, empty folders and Spark's markers (``_SUCCESS``) are
    left out.
    """
    if not folder.is_dir():
        return []
    depth = len(folder.parts)
    read_names = {*(file.parts[depth] for file in read), *(name.partition("/")[0] for name in known)}
    with os.scandir(folder) as entries:
        others = sorted(
            entry.name for entry in entries if entry.name not in read_names and not entry.name.startswith(".")
        )
    paths = [folder / name for name in others]
    return [
        path for path in paths if not (path.name.startswith("_") and not path.suffix) and not _is_empty_folder(path)
    ]


def _is_empty_folder(path: Path) -> bool:
    try:
        return path.is_dir() and not any(path.iterdir())
    except OSError:  # an unreadable folder may contain anything
        return False
