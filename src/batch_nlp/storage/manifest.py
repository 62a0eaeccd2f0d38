"""The manifest of a model's folder: where the model comes from, what it needs, and the hash of every file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from batch_nlp.errors import DataError
from batch_nlp.storage.seal import content_hash, write_sealed

# Of the manifest. 1: names no fields; 2: names no versions of our code; 3: names both
FORMAT = 3
MODEL_FILE, MANIFEST_FILE = "model.skops", "manifest.json"
CHECK_FILE, TRAINED_ON_FILE = "check.parquet", "trained_on.parquet"


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest of a model folder, with the SHA-256 of every file in it and of its own content."""
    files = {file.name: file_hash(file) for file in sorted(folder.iterdir()) if file.name != MANIFEST_FILE}
    write_sealed(folder / MANIFEST_FILE, {**manifest, "format": FORMAT, "files": files})


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read a model folder's manifest and check every file that it lists.

    Raises
    ------
    DataError
        If the manifest or a file is missing, a file is not what it was when it was published, or a newer release wrote
        the manifest.
    """
    path = folder / MANIFEST_FILE
    try:
        manifest: dict[str, Any] = json.loads(path.read_text())
        seal, files = manifest["sha256"], dict(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not a readable manifest ({error}). {_OTHER_VERSION}") from error
    # before the seal, which a newer release may make otherwise
    if isinstance(found := manifest.get("format"), int) and found > FORMAT:
        raise DataError(
            f"{path}: written by a newer release (format {found}; this release knows formats up to {FORMAT}). Nothing "
            f"is damaged: use that release. Otherwise: {_OTHER_VERSION}"
        )
    if seal != content_hash(manifest):
        raise DataError(f"{path}: damaged; its content is not what was published. {_OTHER_VERSION}")
    # a model that the list leaves out would be loaded unchecked
    if MODEL_FILE not in files or any(Path(name).name != name for name in files):
        raise DataError(f"{path}: lists no {MODEL_FILE}, or files of another folder. {_OTHER_VERSION}")
    for name, expected in files.items():
        file = folder / name
        if not file.is_file() or file_hash(file) != expected:
            state = "damaged" if file.is_file() else "missing"
            raise DataError(f"{file}: {state}; it is not what its manifest lists. {_OTHER_VERSION}")
    return manifest


_OTHER_VERSION = "Go back to the version before with pipeline=rollback, or train a new one with pipeline=training."
