"""The predictions of a batch, or of a window of batches, and a sample of its messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from loguru import logger
from numpy.typing import NDArray

from batch_nlp.storage.reference import entropies, of_predicted
from batch_nlp.storage.samples import id_hashes, read_checked, read_sample
from batch_nlp.storage.vocabulary import words_of


@dataclass(frozen=True)
class ScoredBatch:
    """The files of a scored batch."""

    name: str
    # Without this file, an earlier batch is left out
    predictions: Path
    # The sample of its messages; without this file, only the batch's shares count
    sample: Path


@dataclass(frozen=True)
class Scored:
    """The predictions of all messages, and a sample of the messages."""

    # Index of the predicted class, the number of classes for none of them, shape (n,)
    predicted: NDArray[np.int64]
    # Shape (n, n_classes)
    probabilities: NDArray[np.float64]
    # As `read_sample` returns it, smallest hash first; None without a sample
    sample: pd.DataFrame | None
    # Whether the model predicts no class of some messages
    abstains: bool = False

    @classmethod
    def read(cls, batch: ScoredBatch, classes: Sequence[str], *, abstains: bool = False) -> Scored:
        """Read the files of a batch; raise a `DataError` if one is damaged, or the predictions are missing."""
        columns = [f"probability_{name}" for name in classes]
        table = read_checked(batch.predictions, ["predicted_class", *columns])
        probabilities = np.column_stack([table[name].to_numpy() for name in columns])
        predicted = table["predicted_class"].to_numpy().astype(np.int64)
        if batch.sample.exists():
            return cls(predicted, probabilities, read_sample(batch.sample), abstains)
        logger.warning("{} is missing; texts and features of the batch are not compared", batch.sample)
        return cls(predicted, probabilities, None, abstains)

    @classmethod
    def join(cls, parts: Sequence[Scored], size: int) -> Scored:
        """Join several batches into one, with a sample of at most `size` messages drawn evenly from their samples."""
        samples = [part.sample for part in parts if part.sample is not None]
        sample = pd.concat(samples, ignore_index=True) if samples else None
        if sample is not None:
            order = np.argsort(id_hashes(sample["message_id"]), kind="stable")[:size]
            sample = sample.iloc[order].reset_index(drop=True)
        return cls(
            np.concatenate([part.predicted for part in parts]),
            np.concatenate([part.probabilities for part in parts]),
            sample,
            parts[0].abstains,
        )

    @property
    def n(self) -> int:
        """Number of messages."""
        return len(self.predicted)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Predictions of each class and, if the model abstains, of none of them, shape (n_outcomes,)."""
        return np.bincount(self.predicted, minlength=self.probabilities.shape[1] + self.abstains)

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """Probability of each predicted class, shape (n,)."""
        return of_predicted(self.probabilities, self.predicted)

    @cached_property
    def entropy(self) -> NDArray[np.float64]:
        """Entropy of each message's probabilities in nats, shape (n,)."""
        return entropies(self.probabilities)

    @cached_property
    def words(self) -> list[set[str]]:
        """Distinct words of each message in the sample."""
        return [] if self.sample is None else [words_of(text) for text in self.sample["text"]]
