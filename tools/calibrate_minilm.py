"""Measure what the matrices of MiniLM read, for their rounding to 8 bits: ``python -m tools.calibrate_minilm``.

It writes ``minilm_int8.safetensors`` beside the graphs: for each column of the inputs of each matrix in 8 bits, its
largest magnitude and its mean over the tokens of some generated reviews. Run it (dependency group ``onnx``) after a
change of the graph or of the matrices that are rounded, and raise ``RECIPE`` in ``quantise``.
"""

from __future__ import annotations

from itertools import islice

import numpy as np
from loguru import logger
from numpy.typing import NDArray
from onnx import TensorProto, helper
from safetensors.numpy import save
from tests.settings import default
from tools.build_graph import FOLDER, build

from batch_nlp.config import SampleConfig
from batch_nlp.sample.yelp.reviews import history
from batch_nlp.steps.embedding.minilm import CALIBRATION_FILE, create_session, load_tensors, load_tokenizer
from batch_nlp.steps.embedding.quantise import QUANTISED
from batch_nlp.storage.packaged_model import packaged_folder

TEXTS, MAX_TOKENS = 100, 256


def calibrate(texts: list[str]) -> dict[str, NDArray[np.float32]]:
    """Return ``NAME.largest`` and ``NAME.mean``, a value a column, for each matrix in 8 bits."""
    model = build()
    inputs = {name: next(node.input[0] for node in model.graph.node if node.name == name) for name in sorted(QUANTISED)}
    outputs = [helper.make_tensor_value_info(rows, TensorProto.FLOAT, None) for rows in inputs.values()]
    model.graph.output.extend(outputs)
    tensors = load_tensors(packaged_folder() / "model.safetensors")
    session = create_session(model.SerializeToString(), tensors)
    largest = {name: np.zeros(1, dtype=np.float32) for name in inputs}
    total = {name: np.zeros(1, dtype=np.float64) for name in inputs}
    tokens = 0
    for encoding in load_tokenizer(packaged_folder(), MAX_TOKENS).encode_batch(texts):
        found = session.run(list(inputs.values()), {"input_ids": np.array([encoding.ids], dtype=np.int32)})
        tokens += len(encoding.ids)
        for name, rows in zip(inputs, found, strict=True):
            largest[name] = np.maximum(largest[name], np.abs(rows).max(axis=0))
            total[name] = total[name] + rows.sum(axis=0, dtype=np.float64)
    means = {f"{name}.mean": (value / tokens).astype(np.float32) for name, value in total.items()}
    return {f"{name}.largest": value for name, value in largest.items()} | means


def generated_texts() -> list[str]:
    """Return the texts of generated reviews."""
    rows = (row for chunk in history(default(SampleConfig, messages=TEXTS)) for row in chunk.rows)
    return [str(row["text"]) for row in islice(rows, TEXTS)]


if __name__ == "__main__":
    file = FOLDER / CALIBRATION_FILE
    file.write_bytes(save(calibrate(generated_texts())))
    logger.info("{}: {:,} bytes", file, file.stat().st_size)
