"""all-MiniLM-L6-v2 on ONNX Runtime, without torch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from batch_nlp.errors import SettingsError
from batch_nlp.feature.embedding.base import FloatMatrix, encode_unique, unit_length
from batch_nlp.feature.embedding.weights import DIMS, MAX_POSITIONS, load_tensors, load_tokenizer
from batch_nlp.storage.packaged_model import WEIGHTS_SHA256, packaged_folder

if TYPE_CHECKING:
    import onnxruntime as ort


def minilm_fingerprint(max_tokens: int) -> str:
    """Return what the vectors of `MiniLM` depend on."""
    return f"minilm-{WEIGHTS_SHA256[:16]}-tokens{max_tokens}"


class MiniLM:
    """Encodes with the official weights; agrees with sentence-transformers to about 1e-6.

    Each text has a forward pass of its own, on one thread: nothing is padded, and what a pass reads and writes stays in
    the caches, so that texts of some hundred tokens take half the processor time that they take in batches of 32. A
    text's vector does not depend, in any bit, on the texts beside it, nor on the number of threads.

    Parameters
    ----------
    max_tokens : int
        Tokens of a text that are read, with the two that the model adds.
    threads : int
        Forward passes at a time; 0 takes all cores.

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
        self.fingerprint = minilm_fingerprint(max_tokens)
        self.tokenizer = load_tokenizer(packaged_folder(), max_tokens)
        self._threads = threads or os.cpu_count() or 1
        # the session reads these arrays in place, so they must live as long as it does
        self._tensors = load_tensors(packaged_folder() / "model.safetensors")
        self._session = _create_session(self._tensors)

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Return vectors of unit length, shape (n, 384)."""
        return encode_unique(texts, self.dims, self._encode)

    def _encode(self, texts: list[str]) -> FloatMatrix:
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch_fast(texts)]
        return unit_length(np.concatenate(list(self.passes([[row] for row in ids]))))

    def passes(self, batches: Sequence[Sequence[Sequence[int]]]) -> Iterator[FloatMatrix]:
        """Yield `mean_of_tokens` of each batch, in their order; several are computed at a time."""
        with ThreadPoolExecutor(self._threads) as pool:
            yield from pool.map(self.mean_of_tokens, batches)

    def mean_of_tokens(self, ids: Sequence[Sequence[int]]) -> FloatMatrix:
        """Return the mean of each text's token vectors, shape (n, 384), from one forward pass.

        Parameters
        ----------
        ids : sequence of sequences of int
            Token ids with [CLS] and [SEP].
        """
        lengths = np.array([len(row) for row in ids])
        mask = np.arange(lengths.max()) < lengths[:, np.newaxis]
        padded = np.zeros(mask.shape, dtype=np.int32)
        padded[mask] = np.concatenate([np.asarray(row, dtype=np.int32) for row in ids])
        inputs = {"input_ids": padded, "attention_mask": mask.astype(np.int32)}
        mean: FloatMatrix = self._session.run(["mean"], inputs)[0]
        return mean


def _create_session(tensors: dict[str, NDArray[np.float32]]) -> ort.InferenceSession:
    import onnxruntime as ort  # late: its fingerprint is asked for by runs that embed nothing

    options = ort.SessionOptions()
    # threads that share a pass spend much of their time waiting for each other
    options.intra_op_num_threads = 1
    values = [ort.OrtValue.ortvalue_from_numpy(tensor) for tensor in tensors.values()]
    options.add_external_initializers(list(tensors), values)
    graph = resources.files(__package__).joinpath("minilm.onnx").read_bytes()
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
