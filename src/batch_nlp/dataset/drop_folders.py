"""The folders that people put files into: check that they exist, and report files that are not read."""

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
from batch_nlp.storage.raw.file_names import ENDINGS_IN_WORDS, find_files, find_unread
from batch_nlp.storage.raw.known_files import not_taken_in
from batch_nlp.storage.raw.set_aside import SetAside, unusable

# Unusable files whose problem is logged
_TOLD = 20


def check_inbox(config: Config) -> None:
    """Raise a `DataError` if a configured inbox does not exist; the default one is created with the first batch."""
    inbox, default = Path(config.inference.inbox), Path(config.paths.data) / "09_inference" / "inbox"
    _check_folder(config, "inference.inbox", inbox, default)


def check_raw_dir(config: Config) -> None:
    """Raise a `DataError` if a configured folder of raw files does not exist."""
    folder, default = Path(config.dataset.raw_dir), Path(config.paths.data) / "01_raw" / config.dataset.name
    _check_folder(config, "dataset.raw_dir", folder, default)


def check_marker(config: Config, setting: str, folder: Path) -> None:
    """Raise a `DataError` if a folder lacks the file named by ``paths.marker``."""
    name = config.paths.marker
    if name is not None and not (folder / name).exists():
        raise DataError(
            f"{setting}={folder}: the file {name} (paths.marker) is missing. The path may be mistyped, or the disk not "
            "mounted. Correct the setting, mount the disk, or create the file."
        )


def _check_folder(config: Config, setting: str, folder: Path, default: Path) -> None:
    if not folder.is_relative_to(config.paths.data):
        check_marker(config, setting, folder)
    if folder != default and not folder.is_dir():
        missing = "does not exist. The path may be mistyped, or the share not mounted."
        wrong = "is not a folder." if folder.exists() else missing
        raise DataError(f"{setting}={folder}: {wrong} Correct the setting, mount the share, or create the folder.")


def unread_in_inbox(config: Config, scored: Collection[str] = ()) -> list[str]:
    """Return warnings about files in the inbox that no run reads; `scored` are names of past batches' files."""
    inbox = Path(config.inference.inbox)
    return _other_endings(inbox, find_files(inbox, "*", but=scored), scored)


def unread_in_raw_dir(config: Config) -> list[str]:
    """Return warnings about files in ``dataset.raw_dir`` that no run reads."""
    folder, dataset = Path(config.dataset.raw_dir), config.dataset
    readable = find_files(folder, "*")
    read = {*message_files(config)}
    read.update(*side_table_files(dataset, Path(config.inference.inbox)).values())
    others = [file for file in readable if file not in read]
    unfit = (
        f"{folder}: {len(others):,} file(s) are not read, since their names do not match dataset.messages.files="
        f"{dataset.messages.files}: {_names(folder, others)}. Rename them if they contain messages."
    )
    return _other_endings(folder, readable) + ([unfit] if others else [])


def unusable_in_raw_dir(config: Config, store: Path) -> list[SetAside]:
    """Return the message files in ``dataset.raw_dir`` that cannot be used and are not yet in the feature store."""
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
        f"Readable files end in {ENDINGS_IN_WORDS}."
    )
    if any(path.is_dir() for path in others):
        unread += " A folder is read only if it directly contains the parts of a table; partitions are not read."
    return [unread] if others else []


def _names(folder: Path, paths: Sequence[Path]) -> str:
    """Return the names of up to five files; folder names end in a slash."""
    names = (printable(str(path.relative_to(folder))) + "/" * path.is_dir() for path in paths)
    return examples(names) + ", ..." * (len(paths) > 5)


def log_set_aside(files: Sequence[SetAside]) -> None:
    """Log unusable files with their problems."""
    for file in files[:_TOLD]:
        logger.error("{} The file is set aside; the run continues without it.", file.problem)
    if rest := examples(file.name for file in files[_TOLD:]):
        logger.error("{:,} more file(s) are set aside, such as {}", len(files) - _TOLD, rest)


def log_unread(unread: Sequence[str]) -> None:
    """Log warnings about files that are not read."""
    for sentence in unread:
        logger.warning("{}", sentence)
