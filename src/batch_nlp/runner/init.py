"""The stage `init`: a look at someone's files, and the dataset's file that reads them."""

from __future__ import annotations

import glob
import re
from itertools import islice
from pathlib import Path
from typing import Any

from loguru import logger

from batch_nlp.config import InitConfig
from batch_nlp.errors import DataError, SettingsError, examples
from batch_nlp.runner.context import Run
from batch_nlp.storage.atomic import write_text
from batch_nlp.storage.raw import find_files
from batch_nlp.storage.raw_formats import CSV, rows_of
from batch_nlp.storage.raw_names import ENDINGS_IN_WORDS, ending_of, kind_of

# Rows that are looked at, of all files together
_ROWS = 20_000
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def check_init(settings: InitConfig) -> None:
    """Stop before any work when the settings of `init` cannot be met.

    Raises
    ------
    SettingsError
        If there is no name or no file, or a dataset is called so already.
    """
    if not settings.name or not _NAME.fullmatch(settings.name):
        raise SettingsError(
            f"init.name={settings.name}: need a name for the dataset, of letters, digits, _ and -, a letter first. "
            "Say, for example, pipeline=init init.name=feedback init.file=feedback.csv."
        )
    if not settings.file:
        raise SettingsError("init.file: need a file of messages, or a folder of such files. Say init.file=FILE.")
    target = _target(settings)
    if target.exists():
        raise SettingsError(
            f"init.name={settings.name}: {target} exists, and is never overwritten. Take another name, or remove it."
        )


def _target(settings: InitConfig) -> Path:
    return Path(settings.folder) / f"{settings.name}.yaml"


def init(run: Run) -> None:
    """Write the file of a dataset, and tell what to run next.

    Raises
    ------
    DataError
        If there is no file, none of its rows can be read, a CSV has no header, or no column is a text.
    SettingsError
        If there is no column that the settings name.
    """
    from batch_nlp.onboarding.choices import Asked, choose
    from batch_nlp.onboarding.columns import like_data, profiles
    from batch_nlp.onboarding.document import MANY_CLASSES, document, problems

    settings = run.config.init
    files, raw_dir, pattern = _files(Path(str(settings.file)).absolute())
    rows = _first_rows(files)
    found = profiles(rows)
    if all(kind_of(file) in CSV for file in files) and (data := like_data(found)):
        raise DataError(
            f"{settings.file}: its first line seems to be a row of data (by {data} of its {len(found)} cells, which "
            "are not shown): put a line with the names of the columns before it."
        )
    asked = Asked(*(_names(value) for value in (settings.text, settings.label, settings.time, settings.id)))
    choices = choose(found, asked, str(settings.file))
    looked_at = f"{'the first ' if len(rows) == _ROWS else ''}{len(rows):,} rows of {settings.file}"
    target = _target(settings)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_text(target, document(str(settings.name), str(raw_dir), pattern, choices, looked_at))
    for problem in problems(choices):
        logger.warning("{}", problem)
    logger.info("Init: {} says how {} is read; look at it", target, settings.file)
    own = f"dataset={settings.name} paths.data={settings.name}/data paths.models={settings.name}/models"
    if len(choices.classes) > MANY_CLASSES:
        own += " model=logistic_regression 'training.inputs=[tabular,embedding]'"
    stages = ("feature", "training", "inference") if choices.labels else ("feature",)
    commands = "".join(f"\n  uv run start_batch_nlp.py pipeline={stage} {own}" for stage in stages)
    logger.info("Next:{}", commands)


def _files(path: Path) -> tuple[list[Path], Path, str]:
    """Return the files to look at, their folder, and the pattern of their names."""
    ending = ending_of(path.name)
    if path.is_dir() and not ending:
        files = find_files(path, "*")
        if not files:
            raise DataError(f"{path}: no file in it ends in {ENDINGS_IN_WORDS}.")
        return files, path, "*"
    if not path.exists() or not ending:
        what = "its ending is not known" if path.exists() else "there is no such file"
        raise DataError(f"{path}: {what}. Files that end in {ENDINGS_IN_WORDS} are read.")
    pattern = glob.escape(path.name[: -len(ending)])
    return find_files(path.parent, pattern), path.parent, pattern


def _first_rows(files: list[Path]) -> list[dict[str, Any]]:
    """Return as many rows of each file as are looked at; files of another layout have their share."""
    rows, reasons, each = [], list[str](), max(1, _ROWS // len(files))
    for file in files[:_ROWS]:
        for found in islice(rows_of(file), each):
            if isinstance(found.row, dict):
                rows.append(found.row)
            else:
                reasons.append(f"{file.name}:{found.line}: {found.row.reason}")
    if not rows:
        raise DataError(f"{files[0].parent}: no row can be read: {examples(reasons) or 'the files are empty'}.")
    if reasons:
        logger.warning("{:,} rows cannot be read: {}", len(reasons), examples(reasons))
    return rows


def _names(value: Any) -> list[str] | None:
    """Return the columns that a setting names; ``none`` names no column, null leaves it to the data."""
    if value is None:
        return None
    names = list(value) if isinstance(value, list | tuple) else str(value).split(",")
    return [] if names == ["none"] else [str(name) for name in names]
