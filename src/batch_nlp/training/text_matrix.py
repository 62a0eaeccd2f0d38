"""The TF-IDF weights of all texts that n-gram models learn from: made, and read, piece by piece."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from batch_nlp.storage.scratch import GrowingArray

# Rows of a matrix that are copied at a time
_ROWS = 50_000


def stack(pieces: Iterable[csr_array], n_columns: int) -> csr_array:
    """Return sparse matrices one below the other; within `scratch.arrays_on_disk` the result lives in files.

    Parameters
    ----------
    pieces : iterable of csr_array of float64, shape (n_piece, n_columns)
    n_columns : int
    """
    values, indices, lengths = GrowingArray(np.float64), GrowingArray(np.int32), GrowingArray(np.int64)
    for piece in pieces:
        values.append(piece.data)
        indices.append(piece.indices)
        lengths.append(np.diff(piece.indptr))
    bounds = np.concatenate([[0], np.cumsum(lengths.finish())])
    # of one type, since scipy copies the indices otherwise
    bounds = bounds.astype(np.int32) if bounds[-1] <= np.iinfo(np.int32).max else bounds
    return csr_array((values.finish(), indices.finish(), bounds), shape=(len(bounds) - 1, n_columns))


def take_rows(matrix: csr_array, rows: NDArray[np.int64]) -> csr_array:
    """Return some rows of a sparse matrix, as `stack` does."""
    parts = (rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS))
    return stack((csr_array(matrix[part]) for part in parts), matrix.shape[1])
