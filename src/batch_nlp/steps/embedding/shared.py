"""Tables of token vectors that another data folder has: they depend on the weights alone, and take a minute to make."""

from __future__ import annotations

import shutil
from pathlib import Path

from loguru import logger

from batch_nlp.storage.atomic import replacing


def take_tables(theirs: Path, ours: Path) -> None:
    """Copy the tables that a folder lacks from another, which is only read.

    What is copied is checked when it is read, and made again if it is damaged. Vectors of texts are not copied.

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
        except PermissionError as error:  # of another user: it is made, as if it were not there
            logger.debug("{} is not copied: {}", table, error)
