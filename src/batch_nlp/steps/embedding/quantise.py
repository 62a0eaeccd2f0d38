"""Most matrices of all-MiniLM-L6-v2 in 8 bits, made from the official weights when the model is loaded.

Plain rounding to 8 bits costs a cosine of 0.013 at the first percentile, since a few columns of what a matrix reads
are many times as large as the others and the rounding of all follows the largest. So

- those columns stay in float32 (Dettmers et al. 2022, LLM.int8);
- of the others, each is divided by the root of the ratio of its largest input to its largest weight, and the weights
  multiplied by it (Xiao et al. 2023, SmoothQuant);
- the mean of what rounding the weights changes is taken off the bias (Nagel et al. 2019).

What a column's inputs are like was measured once, by ``tools/calibrate_minilm.py``. The matrices that stay in float32
are those whose rounding showed the most in the vectors for the time that it saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tensors = dict[str, NDArray[Any]]
# Processors without VNNI add two products of an input (0 to 255) and a weight in 16 bits. Up to 63 the sum always fits;
# up to 96 it does unless two neighbours of both are near their largest, and the rounding is finer: the error in the
# vectors was a third less. At 127 the cut-off sums made it a third more.
LEVELS = 96
FLOAT_COLUMNS = 8
# of a text in 8 bits; the error is largest in texts of fewer, which cost little in float32
FEWEST_TOKENS = 24
# raise it with every change of what the tensors hold: it is part of the fingerprint
RECIPE = 1
_ATTENTION = [f"encoder.layer.{number}.attention.self" for number in range(5)]
_INNER = [f"encoder.layer.{number}.intermediate.dense" for number in range(6)]
_OUTPUT = [f"encoder.layer.{number}.attention.output.dense" for number in range(5)]
_OUTER = [f"encoder.layer.{number}.output.dense" for number in (3, 5)]
QUANTISED = frozenset([*_ATTENTION, *_OUTPUT, *_INNER, *_OUTER])


def quantised_tensors(tensors: Mapping[str, NDArray[np.float32]], calibration: Mapping[str, Any]) -> Tensors:
    """Return the tensors of the graph in 8 bits.

    Parameters
    ----------
    tensors : mapping of str to ndarray of float32
        The official ones.
    calibration : mapping of str to ndarray of float32
        For each name in `QUANTISED`, ``NAME.largest`` and ``NAME.mean``: a column's largest magnitude and its mean.

    Returns
    -------
    dict of str to ndarray
        The official ones, but for each name in `QUANTISED`, where a matrix of K inputs and N outputs gives
        ``NAME.smoothing`` (K, what an input is multiplied by; 0 for columns that stay in float32), ``NAME.int8``
        (K x N), ``NAME.scale`` (N), ``NAME.columns`` (numbers of the columns in float32), ``NAME.float32`` (their rows
        of weights) and ``NAME.bias`` (N).
    """
    result: Tensors = dict(tensors)
    for name in QUANTISED:
        parts = [f"{name}.{part}" for part in ("query", "key", "value")] if name in _ATTENTION else [name]
        weight = np.concatenate([result.pop(f"{part}.weight") for part in parts])
        bias = np.concatenate([result.pop(f"{part}.bias") for part in parts])
        quantised = _quantise(weight, bias, calibration[f"{name}.largest"], calibration[f"{name}.mean"])
        result.update({f"{name}.{key}": np.ascontiguousarray(value) for key, value in quantised.items()})
    return result


def _quantise(
    weight: NDArray[np.float32], bias: NDArray[np.float32], largest: NDArray[np.float32], mean: NDArray[np.float32]
) -> Tensors:
    reach = np.abs(weight).max(axis=0)
    columns = np.sort(np.argsort(-largest * reach, kind="stable")[:FLOAT_COLUMNS])
    divisor = np.sqrt(largest / reach)
    smoothing = 1 / divisor
    smoothing[columns] = 0
    smooth = weight * divisor
    smooth[:, columns] = 0
    scale = np.abs(smooth).max(axis=1) / LEVELS
    rounded = np.rint(smooth / scale[:, np.newaxis])
    lost = (smooth - rounded * scale[:, np.newaxis]) @ (mean / divisor)
    return {
        "smoothing": smoothing,
        "int8": rounded.T.astype(np.int8),
        "scale": scale,
        "columns": columns,
        "float32": weight[:, columns].T,
        "bias": bias + lost,
    }
