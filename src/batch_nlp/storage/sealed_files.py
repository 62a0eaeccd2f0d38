"""Files that are sealed: a ``seal.json`` beside them holds the SHA-256 of each.

Used for what other runs, and other systems, read: predictions, samples of batches, side tables. A file without an
entry, which an earlier release wrote, is read whole in place of being hashed. Tables of the feature store have seals of
their own, see `seals`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from batch_nlp.errors import DataError
from batch_nlp.storage.atomic import replacing
from batch_nlp.storage.checked import problem_of, remember, written
from batch_nlp.storage.sealed_json import read_sealed, write_sealed

SEAL_FILE = "seal.json"
_RESTORE = f"Restore it from a backup; if it is not needed any more, remove it, and {SEAL_FILE} beside it."
_RESEAL = "Restore it from a backup, or remove it: the files beside it are then read whole to check them."
# stands for a file that is not there yet
_ABSENT = ""

# File name -> SHA-256 of what may be there: one, or two while the file is replaced
_Seal = dict[str, list[str]]


def _read(folder: Path) -> _Seal:
    path = folder / SEAL_FILE
    if not path.exists():
        return {}
    files = read_sealed(path, _RESEAL).get("files", {})
    return {str(name): list(digests) for name, digests in files.items()}


def _change(folder: Path, name: str, digests: list[str] | None) -> None:
    """Enter what may be there under a name, or that nothing is."""
    files = _read(folder)
    files.pop(name, None)
    write_sealed(folder / SEAL_FILE, {"files": files if digests is None else {**files, name: digests}})


@contextmanager
def replacing_sealed(path: Path) -> Iterator[Path]:
    """Give a temporary name to write a file under; it takes the place of `path`, sealed, when the block succeeds.

    Whenever a run is killed, the seal fits the file that is there. As with `replacing`, there is one writer.
    """
    with replacing(path) as temporary:
        yield temporary
        digest = written(temporary)
        before = _read(path.parent).get(path.name, [])
        if not path.exists():
            before = [_ABSENT]
        elif not before:
            before = [written(path)]
        _change(path.parent, path.name, [digest, *before])
    remember(path, digest)
    _change(path.parent, path.name, [digest])


def write_sealed_parquet(path: Path, table: pa.Table) -> None:
    """Write a parquet file with page checksums and a seal, all or nothing."""
    with replacing_sealed(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)


def remove_sealed(paths: Iterable[Path]) -> None:
    """Remove files and their entries; after a kill in between, one may be there without an entry."""
    for path in paths:
        if (path.parent / SEAL_FILE).exists():
            _change(path.parent, path.name, None)
        path.unlink(missing_ok=True)


def _problem(path: Path, digests: list[str]) -> str | None:
    if _ABSENT in digests and not path.exists():
        return None
    problem = problem_of(path, *(digest for digest in digests if digest))
    return f"{path}: {problem}. {_RESTORE}" if problem else None


def check_file(path: Path, whole: bool = True) -> None:
    """Raise a `DataError` that names a file if it is missing, or not what was written.

    A parquet file without a seal is read whole for that, unless its reader does so.
    """
    digests = _read(path.parent).get(path.name, [])
    if not (digests or whole):
        return
    if problem := _problem(path, digests) or (None if path.exists() else f"{path}: missing. {_RESTORE}"):
        raise DataError(problem)


def checked_files(root: Path, name: str, but: str) -> list[Path]:
    """Return the sound files of one name in the folders below `root`, but for one, in the order of the folders' names.

    A folder that never had such a file is passed over.

    Raises
    ------
    DataError
        If one is damaged, or gone from its folder.
    """
    folders = sorted(folder for folder in root.glob("[!.]*") if folder.is_dir() and folder.name != but)
    found = [folder / name for folder in folders if (folder / name).exists() or name in _read(folder)]
    for path in found:
        check_file(path)
    return found


def problems(folder: Path) -> list[str]:
    """Return what is wrong with the sealed and the parquet files of a folder, a sentence for each that names it."""
    try:
        seal = _read(folder)
    except DataError as error:
        return [str(error)]
    names = sorted({*seal, *(path.name for path in folder.glob("[!.]*.parquet"))})
    found = (_problem(folder / name, seal.get(name, [])) for name in names)
    return [problem for problem in found if problem]
