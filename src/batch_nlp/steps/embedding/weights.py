"""What the packaged all-MiniLM-L6-v2 is made of: its tensors and its tokenizer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from tokenizers import Tokenizer

from batch_nlp.storage.packaged_model import WEIGHTS_SHA256, verify_weights

DIMS = 384
# rows of the model's table of positions
MAX_POSITIONS = 512
# what a head for other tasks would need; the positions are just 0, 1, 2, ...
_UNUSED = ("pooler.", "embeddings.position_ids")


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
    verify_weights(path, sha256)
    with safe_open(path, framework="np") as tensors:  # it has keys(), and is no dict that could be iterated
        return {name: tensors.get_tensor(name) for name in tensors.keys() if not name.startswith(_UNUSED)}  # noqa: SIM118


def load_tokenizer(folder: Path, max_tokens: int) -> Tokenizer:
    """Load the tokenizer of a model folder: no padding, texts cut after `max_tokens` tokens."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer
