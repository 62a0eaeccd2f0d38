"""The folders that people put files into: whether they are there, and what in them nobody reads."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from loguru import logger

from batch_nlp.config import Config
from batch_nlp.dataset.message_columns import text_form
from batch_nlp.dataset.message_reader import allowed_message_files, message_files
from batch_nlp.dataset.side_tables import side_table_files
from batch_nlp.dataset.unreadable_values import unreadable_files
from batch_nlp.errors import DataError, examples, printable
from batch_nlp.storage.raw.file_list import not_taken_in
from batch_nlp.storage.raw.file_names import ENDINGS_IN_WORDS, find_files, find_unread
from batch_nlp.storage.raw.set_aside import SetAside, unusable

# Files that cannot be used of which a log says what is wrong with them
_TOLD = 20


def check_inbox(config: Config) -> None:
    """Refuse an inbox that somebody set and that does not exist; the default one appears with the first batch.

    Raises
    ------
    DataError
    """
    inbox, default = Path(config.inference.inbox), Path(config.paths.data) / "09_inference" / "inbox"
    _check_folder(config, "inference.inbox", inbox, default)


def check_raw_dir(config: Config) -> None:
    """Refuse a folder of raw files that somebody set and that does not exist.

    Raises
    ------
    DataError
    """
    folder, default = Path(config.dataset.raw_dir), Path(config.paths.data) / "01_raw" / config.dataset.name
    _check_folder(config, "dataset.raw_dir", folder, default)


def check_marker(config: Config, setting: str, folder: Path) -> None:
    """Refuse a folder without the file that ``paths.marker`` asks for.

    Raises
    ------
    DataError
    """
    name = config.paths.marker
    if name is not None and not (folder / name).exists():
        raise DataError(
            f"{setting}={folder}: the file {name} (paths.marker) is not there: a typing error, or a disk that is not "
            "mounted? Correct the setting, mount the disk, or make the file there."
        )


def _check_folder(config: Config, setting: str, folder: Path, default: Path) -> None:
    if not folder.is_relative_to(config.paths.data):
        check_marker(config, setting, folder)
    if folder != default and not folder.is_dir():
        missing = "does not exist: a typing error, or a share that is not mounted?"
        wrong = "is no folder." if folder.exists() else missing
        raise DataError(f"{setting}={folder}: {wrong} Correct the setting, mount the share, or make the folder.")


def unread_in_inbox(config: Config, scored: Collection[str] = ()) -> list[str]:
    """Return what is to be said of files in the inbox that no run reads, a sentence each; `scored` are known names."""
    inbox = Path(config.inference.inbox)
    return _other_endings(inbox, find_files(inbox, "*", but=scored), scored)


def unread_in_raw_dir(config: Config) -> list[str]:
    """Return what is to be said of files in ``dataset.raw_dir`` that no run reads, a sentence each.

    Raises
    ------
    DataError
        If the name of a file fits two side tables.
    """
    folder, dataset = Path(config.dataset.raw_dir), config.dataset
    readable = find_files(folder, "*")
    read = {*message_files(config)}
    read.update(*side_table_files(dataset, Path(config.inference.inbox)).values())
    others = [file for file in readable if file not in read]
    unfit = (
        f"{folder}: {len(others):,} file(s) are not read, since their names do not fit dataset.messages.files="
        f"{dataset.messages.files}: {_names(folder, others)}. Rename them if they hold messages."
    )
    return _other_endings(folder, readable) + ([unfit] if others else [])


def unusable_in_raw_dir(config: Config, store: Path) -> list[SetAside]:
    """Return the files of messages in ``dataset.raw_dir`` that are new and cannot be used.

    Parameters
    ----------
    config : Config
    store : Path
        Folder of the feature store, which knows the files that were taken in.
    """
    dataset = config.dataset
    files, refused = allowed_message_files(config)
    new = not_taken_in(store, files)
    broken = {file: found for file in new if (found := unusable(file, text_form(dataset.messages)))}
    whole = (file for file in new if file not in broken)
    return [*refused, *broken.values(), *unreadable_files(dataset, whole, labels=True)]


def _other_endings(folder: Path, readable: Sequence[Path], known: Collection[str] = ()) -> list[str]:
    others = find_unread(folder, readable, known)
    unread = (
        f"{folder}: {len(others):,} file(s) or folder(s) are not read: {_names(folder, others)}. "
        f"Files that end in {ENDINGS_IN_WORDS} are."
    )
    if any(path.is_dir() for path in others):
        unread += " Of folders, only those that hold the parts of a table themselves are read, without partitions."
    return [unread] if others else []


def _names(folder: Path, paths: Sequence[Path]) -> str:
    """Return the names of up to five files; those of folders end in a slash."""
    names = (printable(str(path.relative_to(folder))) + "/" * path.is_dir() for path in paths)
    return examples(names) + ", ..." * (len(paths) > 5)


def log_set_aside(files: Sequence[SetAside]) -> None:
    """Log files that cannot be used, each with what is wrong with it."""
    for file in files[:_TOLD]:
        logger.error("{} It is set aside; the run goes on without it.", file.problem)
    if rest := examples(file.name for file in files[_TOLD:]):
        logger.error("{:,} more file(s) are set aside, such as {}", len(files) - _TOLD, rest)


def log_unread(unread: Sequence[str]) -> None:
    """Log what is to be said of files that nobody reads."""
    for sentence in unread:
        logger.warning("{}", sentence)
