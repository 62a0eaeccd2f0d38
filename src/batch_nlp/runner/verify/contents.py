"""What a file of predictions holds, read once from its first row to its last."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

_PROBABILITY = "probability_"
# How far from 1 the sum of a message's probabilities may be
_TOLERANCE = 1e-6


@dataclass
class Contents:
    """What a file of predictions holds.

    Parameters
    ----------
    classes : list of str
        In the order of their columns.
    rows : int
    counts : list of int
        Predictions of each class.
    models : set of str
        Versions that the rows name.
    no_probabilities : int
        Rows whose probabilities are not between 0 and 1 or do not sum to 1.
    wrong_labels : int
        Rows whose class is none of the columns', or whose label is another class's.
    """

    classes: list[str]
    rows: int = 0
    counts: list[int] = field(default_factory=list)
    models: set[str] = field(default_factory=set)
    no_probabilities: int = 0
    wrong_labels: int = 0


def read_contents(path: Path, batch_rows: int) -> Contents:
    """Read a file of predictions after checking its pages, `batch_rows` rows at a time.

    Raises
    ------
    OSError, ValueError, KeyError, ArrowException
        If it cannot be read, or is no file of predictions.
    """
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        columns = [name for name in file.schema_arrow.names if name.startswith(_PROBABILITY)]
        if not columns:
            raise ValueError("it has no columns of probabilities")
        found = Contents([name.removeprefix(_PROBABILITY) for name in columns])
        counts = np.zeros(len(columns), dtype=np.int64)
        for part in file.iter_batches(batch_rows):
            _add(found, counts, pa.Table.from_batches([part]), columns)
    found.counts = counts.tolist()
    return found


def _add(found: Contents, counts: NDArray[np.int64], rows: pa.Table, columns: list[str]) -> None:
    predicted = rows["predicted_class"].to_numpy()
    probabilities = np.column_stack([rows[name].to_numpy() for name in columns])
    # a missing value is none of these either
    sound = (abs(probabilities.sum(axis=1) - 1) <= _TOLERANCE) & ((probabilities >= 0) & (probabilities <= 1)).all(
        axis=1
    )
    found.rows += rows.num_rows
    found.no_probabilities += int((~sound).sum())
    known = (predicted >= 0) & (predicted < len(columns))
    labels = np.asarray([*found.classes, None], dtype=object)[np.where(known, predicted, -1).astype(np.int64)]
    found.wrong_labels += int((labels != rows["predicted_label"].to_numpy(zero_copy_only=False)).sum())
    counts += np.bincount(predicted[known].astype(np.int64), minlength=len(columns))
    found.models.update(map(str, rows["model_version"].unique().to_pylist()))
