"""Models named by the user: a local folder, or a name on the Hugging Face hub with an optional revision."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loguru import logger
from safetensors import SafetensorError

from batch_nlp.errors import SettingsError


def split_revision(model: str) -> tuple[str, str | None]:
    """Return the name and the revision of ``name@revision``; a local folder has no revision.

    Examples
    --------
    >>> split_revision("minishlab/potion-base-8M@dcbec7a")
    ('minishlab/potion-base-8M', 'dcbec7a')
    """
    if Path(model).is_dir():
        return model, None
    name, _, revision = model.partition("@")
    return name, revision or None


def identity(model: str) -> str:
    """Return what identifies a model: the hash of a local folder's files, or the name on the hub with its revision.

    Raises a `SettingsError` if the name can only be a local folder, but the folder does not exist.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return f"sha256-{_hash_folder(folder)[:16]}"
    name, revision = split_revision(model)
    # names on the hub are `name` and `owner/name`
    if folder.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        raise SettingsError(f"features.embedding.model={model}: this folder does not exist.")
    return f"{name}@{revision or 'main'}"


def _hash_folder(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") for part in parts):
            with path.open("rb") as file:
                digest.update(f"{'/'.join(parts)}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\0".encode())
    return digest.hexdigest()


@contextmanager
def loading(model: str) -> Iterator[None]:
    """Warn about a model without a revision, and turn errors of loading it into a `SettingsError`."""
    from huggingface_hub.errors import HfHubHTTPError

    name, revision = split_revision(model)
    if revision is None and not Path(name).is_dir():
        logger.warning("{} may change on the hub, and its vectors too; pin it as model={}@<revision>", model, name)
    try:
        yield
    except (OSError, ValueError, HfHubHTTPError, SafetensorError) as error:
        raise SettingsError(
            f"features.embedding.model={model}: cannot be loaded ({error}). Set the name of a model on the Hugging "
            "Face hub that this machine can reach or has in its cache, or the path of a local folder."
        ) from error
