"""all-MiniLM-L6-v2 on ONNX Runtime, without torch."""

from __future__ import annotations

from collections.abc import Sequence
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

    Parameters
    ----------
    max_tokens : int
        Tokens of a text that are read, with the two that the model adds.
    batch_size : int
        Texts in a forward pass.
    threads : int
        Threads of a forward pass; 0 takes all cores.

    Raises
    ------
    SettingsError
        If the model cannot read that many tokens.
    DataError
        If the packaged weights are missing or damaged.
    """

    dims = DIMS

    def __init__(self, max_tokens: int = 256, batch_size: int = 32, threads: int = 0) -> None:
        if not 3 <= max_tokens <= MAX_POSITIONS:
            raise SettingsError(
                f"features.embedding.max_tokens={max_tokens}: all-MiniLM-L6-v2 reads 3 to {MAX_POSITIONS} tokens."
            )
        self.fingerprint = minilm_fingerprint(max_tokens)
        self.tokenizer = load_tokenizer(packaged_folder(), max_tokens)
        self._batch_size = batch_size
        # the session reads these arrays in place, so they must live as long as it does
        self._tensors = load_tensors(packaged_folder() / "model.safetensors")
        self._session = _create_session(self._tensors, threads)

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Return vectors of unit length, shape (n, 384)."""
        return encode_unique(texts, self.dims, self._encode)

    def _encode(self, texts: list[str]) -> FloatMatrix:
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch_fast(texts)]
        # texts of like length share a batch, so that little is padded; the longest first, so that the memory
        # that the run needs is needed at its start
        order = np.argsort([-len(row) for row in ids], kind="stable")
        vectors = np.empty((len(ids), self.dims), dtype=np.float32)
        for start in range(0, len(order), self._batch_size):
            batch = order[start : start + self._batch_size]
            vectors[batch] = self.mean_of_tokens([ids[row] for row in batch])
        return unit_length(vectors)

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


def _create_session(tensors: dict[str, NDArray[np.float32]], threads: int) -> ort.InferenceSession:
    import onnxruntime as ort  # late: its fingerprint is asked for by runs that embed nothing

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    values = [ort.OrtValue.ortvalue_from_numpy(tensor) for tensor in tensors.values()]
    options.add_external_initializers(list(tensors), values)
    graph = resources.files(__package__).joinpath("minilm.onnx").read_bytes()
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
