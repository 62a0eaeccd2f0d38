"""Copies tables of token vectors from another data folder, since distilling them takes up to a minute."""

from __future__ import annotations

import shutil
from pathlib import Path

from loguru import logger

from batch_nlp.storage.atomic import replacing


def take_tables(theirs: Path, ours: Path) -> None:
    """Copy the tables that one folder lacks from another.

    Copied tables are checked when they are read, and distilled again if damaged. Vectors of texts are not copied.

    Parameters
    ----------
    theirs, ours : Path
        Folders of tables; neither needs to exist.
    """
    for table in theirs.glob("[!.]*.safetensors"):
        if (ours / table.name).exists():
            continue
        try:
            with replacing(ours / table.name) as temporary:
                shutil.copyfile(table, temporary)
        except PermissionError as error:  # the table belongs to another user; it is distilled instead
            logger.debug("{} is not copied: {}", table, error)
