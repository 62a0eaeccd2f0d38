"""JSON documents that carry the SHA-256 of their own content, so that a damaged one is noticed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from batch_nlp.errors import DataError
from batch_nlp.storage.atomic import write_json

SEAL_KEY = "sha256"


def content_hash(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document's content, leaving out the one that it carries itself.

    Examples
    --------
    >>> content_hash({"a": 1, "b": None}) == content_hash({"b": None, "a": 1, "sha256": "any"})
    True
    """
    content = {name: value for name, value in document.items() if name != SEAL_KEY}
    # as it is when it is read back: with keys that are text
    read_back = json.loads(json.dumps(content))
    return hashlib.sha256(json.dumps(read_back, sort_keys=True).encode()).hexdigest()


def write_sealed(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document with the hash of its content, all or nothing."""
    write_json(path, {**document, SEAL_KEY: content_hash(document)})


def read_sealed(path: Path, advice: str, unsealed: bool = False) -> dict[str, Any]:
    """Return the content of a document that `write_sealed` wrote.

    Parameters
    ----------
    path : Path
    advice : str
        What to do if it is damaged, a sentence.
    unsealed : bool
        Whether a document without a hash is taken: one that an earlier release wrote.

    Raises
    ------
    DataError
        If it cannot be read, or is not what was written.
    """
    try:
        document = json.loads(path.read_bytes())
        if not isinstance(document, dict):
            raise ValueError("no JSON object")
        if SEAL_KEY in document or not unsealed:
            if document.get(SEAL_KEY) != content_hash(document):
                raise ValueError("its content is not what was written")
            del document[SEAL_KEY]
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: damaged ({error}). {advice}") from error
    return document


def documents(folder: Path) -> list[str]:
    """Return the names of the JSON documents in a folder, sorted; hidden ones and a missing folder have none.

    Folders of batches hold thousands of them, of which a path each would cost more than reading what is new.
    """
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except FileNotFoundError:
        return []
    return sorted(name for name in names if name.endswith(".json") and not name.startswith("."))
