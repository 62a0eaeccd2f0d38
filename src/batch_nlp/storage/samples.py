"""Samples of a batch's messages: those whose ids have the smallest hashes.

Such a sample does not depend on the order of the messages and is drawn while they stream by. The samples of several
batches combine to the sample of all their messages.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from batch_nlp.fields import Fields
from batch_nlp.storage import seal
from batch_nlp.storage.feature_store import features_frame
from batch_nlp.storage.layers import Layers
from batch_nlp.storage.problem import DamageError, Problem
from batch_nlp.storage.seal import check_file, remove_sealed, write_sealed_parquet

PREDICTED = (pa.field("predicted_class", pa.int16()), pa.field("probabilities", pa.list_(pa.float64())))


def sample_schema(fields: Fields) -> pa.Schema:
    """Return the columns of a sample: those of the feature store, and the predictions."""
    return pa.schema([*fields.schema, *PREDICTED])


def id_hashes(ids: Any) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each id of an array-like of str, the same in every process."""
    return pd.util.hash_array(np.asarray(ids, dtype=object))


class KeptSample:
    """The `size` added rows with the smallest hashes of ``message_id``; at most twice as many are in memory.

    `rows` has the smallest hash first: any first rows of it are a random sample too.
    """

    def __init__(self, size: int, schema: pa.Schema) -> None:
        self._size = size
        self.rows = schema.empty_table()
        self._hashes = np.empty(0, np.uint64)

    def add(self, rows: pa.Table) -> None:
        """Add the rows that belong to the sample so far."""
        hashes = id_hashes(rows["message_id"].to_numpy())
        chosen = np.argsort(hashes, kind="stable")[: self._size]
        if len(self._hashes) == self._size:
            chosen = chosen[hashes[chosen] < self._hashes[-1]]
        # take copies; a slice would keep all rows in memory
        rows = pa.concat_tables([self.rows, rows.take(chosen)])
        hashes = np.concatenate([self._hashes, hashes[chosen]])
        order = np.argsort(hashes, kind="stable")[: self._size]
        self.rows, self._hashes = rows.take(order), hashes[order]


def sample_file(layers: Layers, batch: str) -> Path:
    """Return the path of a batch's sample."""
    return layers.samples / f"{batch}.parquet"


def write_sample(path: Path, rows: pa.Table) -> None:
    """Write a sample, rows of `sample_schema`, all or nothing."""
    write_sealed_parquet(path, rows.combine_chunks())


def read_sample(path: Path) -> pd.DataFrame:
    """Return a sample: the columns of the feature table, ``predicted_class`` and ``probabilities``.

    Vectors and ``probabilities`` are object columns of arrays, those of vectors float32; see `read_checked` for errors.
    """
    return sample_frame(read_checked(path))


def sample_frame(rows: pa.Table) -> pd.DataFrame:
    """Return the rows of a sample as a frame; see `read_sample`."""
    return features_frame(rows.combine_chunks())


def read_checked(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Return the rows of a parquet file that the system wrote; raise a `DamageError` if it is missing or damaged."""
    check_file(path, whole=False)
    try:
        return pq.read_table(path, columns=columns, page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        raise DamageError(Problem(path, f"cannot be read ({error})", "Restore it from a backup.")) from error


def remove_old_samples(layers: Layers, keep: int) -> None:
    """Remove the samples of all but the newest `keep` batches."""
    # a batch's name starts with its time
    remove_sealed(sorted(layers.samples.glob("[!.]*.parquet"))[:-keep])


def problems(layers: Layers) -> list[Problem]:
    """Return which samples of a dataset are damaged; a missing one may have been removed."""
    action = (
        "Restore it from a backup, or remove it. Predictions do not depend on it, but as long as it exists, no batch "
        "can be judged together with this one."
    )
    return [replace(problem, action=action) for problem in seal.problems(layers.samples) if problem.path.exists()]
