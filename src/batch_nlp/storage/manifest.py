"""The manifest of a model's folder: where the model comes from, what it needs, and the hash of every file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from batch_nlp.storage.problem import DamageError, Problem
from batch_nlp.storage.seal import damage, hash_of, read_object, read_sealed, write_sealed

# Format of the manifest. 1: names no fields; 2: names no versions of our code; 3: names both
FORMAT = 3
MODEL_FILE, MANIFEST_FILE = "model.skops", "manifest.json"
CHECK_FILE, TRAINED_ON_FILE = "check.parquet", "trained_on.parquet"
RESTORE = (
    "Restore the folder from a backup. pipeline=rollback or pipeline=training replaces a champion; other versions are "
    "skipped."
)


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest of a model's folder, sealed, with the SHA-256 of every file in the folder."""
    files = {file.name: hash_of(file) for file in sorted(folder.iterdir()) if file.name != MANIFEST_FILE}
    write_sealed(folder / MANIFEST_FILE, {**manifest, "format": FORMAT, "files": files})


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a model's folder and check every file that it lists.

    Raises a `DamageError` if the manifest or a file is missing, a file is not what was published, or a newer release
    wrote the manifest.
    """
    path = folder / MANIFEST_FILE
    # before the seal, since a newer release may seal differently
    if isinstance(written := read_object(path, RESTORE).get("format"), int) and written > FORMAT:
        what = f"written by a newer release (format {written}; this release knows formats up to {FORMAT})"
        action = (
            "Nothing is damaged: use that release. Or replace the model with pipeline=rollback or pipeline=training."
        )
        raise DamageError(Problem(path, what, action))
    manifest = read_sealed(path, RESTORE)
    files = manifest.get("files", {})
    # a model that the manifest does not list would be loaded unchecked
    if MODEL_FILE not in files or any(Path(name).name != name for name in files):
        raise DamageError(Problem(path, f"lists no {MODEL_FILE}, or files of another folder", RESTORE))
    for name, digest in files.items():
        if found := damage(folder / name, [digest]):
            raise DamageError(Problem(folder / name, found, RESTORE))
    return manifest
