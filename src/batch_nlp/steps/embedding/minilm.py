"""all-MiniLM-L6-v2 on ONNX Runtime, without torch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from tokenizers import Tokenizer

from batch_nlp.errors import SettingsError
from batch_nlp.steps.embedding.embedder import FloatMatrix, encode_unique, unit_length
from batch_nlp.storage.packaged_model import packaged_folder, verify_weights

if TYPE_CHECKING:
    import onnxruntime as ort

DIMS = 384
# Rows of the model's table of positions
MAX_POSITIONS = 512
# Weights of a head for other tasks, and the positions 0, 1, 2, ...
_UNUSED = ("pooler.", "embeddings.position_ids")


def load_tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the tensors of the official weights that a text's vector depends on, by name, or raise a `DataError`."""
    verify_weights(path)
    with safe_open(path, framework="np") as tensors:  # has keys(), but cannot be iterated
        return {name: tensors.get_tensor(name) for name in tensors.keys() if not name.startswith(_UNUSED)}  # noqa: SIM118


def load_tokenizer(folder: Path, max_tokens: int) -> Tokenizer:
    """Load the tokenizer of a model folder, without padding, truncating texts to `max_tokens` tokens."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


class MiniLM:
    """Encodes with the official weights; agrees with sentence-transformers to about 1e-6.

    Each text has its own forward pass, on one thread: nothing is padded, and a pass stays within the processor's
    caches, so that texts of about a hundred tokens take half the processor time of batches of 32. The vector of a text
    does not depend on the other texts or on the number of threads, not even in its last bit.

    Parameters
    ----------
    max_tokens : int
        Most tokens to read of a text, including the two that the model adds.
    threads : int
        Forward passes at a time; 0 uses all cores.

    Raises
    ------
    SettingsError
        If the model cannot read that many tokens.
    DataError
        If the packaged weights are missing or damaged.
    """

    dims = DIMS

    def __init__(self, max_tokens: int = 256, threads: int = 0) -> None:
        if not 3 <= max_tokens <= MAX_POSITIONS:
            raise SettingsError(
                f"features.embedding.max_tokens={max_tokens}: all-MiniLM-L6-v2 reads 3 to {MAX_POSITIONS} tokens."
            )
        self.tokenizer = load_tokenizer(packaged_folder(), max_tokens)
        self._threads = threads or os.cpu_count() or 1
        # the session reads these arrays in place, so they must outlive it
        self._tensors = load_tensors(packaged_folder() / "model.safetensors")
        graph = resources.files(__package__).joinpath("minilm.onnx").read_bytes()
        self._session = create_session(graph, self._tensors)

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Return vectors of unit length, shape (n, 384)."""
        return encode_unique(texts, self.dims, self._encode)

    def _encode(self, texts: list[str]) -> FloatMatrix:
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch_fast(texts)]
        return unit_length(np.concatenate(list(self.passes([[row] for row in ids]))))

    def passes(self, batches: Sequence[Sequence[Sequence[int]]]) -> Iterator[FloatMatrix]:
        """Yield `mean_of_tokens` of each batch, in order; several batches are computed at a time."""
        with ThreadPoolExecutor(self._threads) as pool:
            yield from pool.map(self.mean_of_tokens, batches)

    def mean_of_tokens(self, ids: Sequence[Sequence[int]]) -> FloatMatrix:
        """Return the mean of each text's token vectors, shape (n, 384), from one forward pass.

        `ids` are token ids with [CLS] and [SEP], the same number for each text.
        """
        tokens = np.array(ids, dtype=np.int32)
        mean: FloatMatrix = self._session.run(["mean"], {"input_ids": tokens})[0]
        return mean


def create_session(graph: bytes, tensors: Mapping[str, NDArray[Any]]) -> ort.InferenceSession:
    """Return a session on one thread that reads the tensors in place, so the tensors must outlive it."""
    import onnxruntime as ort  # late: runs that embed nothing only need the fingerprint

    options = ort.SessionOptions()
    # threads that share a pass would mostly wait for each other
    options.intra_op_num_threads = 1
    values = [ort.OrtValue.ortvalue_from_numpy(tensor) for tensor in tensors.values()]
    options.add_external_initializers(list(tensors), values)
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
