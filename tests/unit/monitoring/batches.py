"""Batches and references drawn from one world, whose messages can be shifted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from tests.fields import FIELDS

from batch_nlp.inference.predict import predictions_schema
from batch_nlp.monitoring.scored import ScoredBatch
from batch_nlp.storage.parquet import write_parquet
from batch_nlp.storage.reference import Reference, entropies, of_predicted, write_reference
from batch_nlp.storage.samples import KeptSample, read_checked, sample_frame, sample_schema, write_sample
from batch_nlp.storage.vocabulary import Vocabulary

CLASSES = ["negative", "neutral", "positive"]
SHARES = (0.25, 0.15, 0.6)
_WORDS = (
    *("the", "food", "was", "really", "good", "and", "staff", "were", "friendly", "but", "our", "table", "waited"),
    *("long", "for", "drinks", "while", "we", "came", "back", "because", "that", "place", "is", "still", "great"),
    *("with", "fresh", "coffee", "nice", "rooms", "clean", "beds", "some", "noise", "from", "street"),
)
DIMS = 16


@dataclass(frozen=True)
class Messages:
    """How messages are drawn; the defaults are those of the world that the champion was trained in.

    Parameters
    ----------
    shares : sequence of float
        Of the predicted classes.
    sure : float
        How far the score of the predicted class stands out.
    length : float
        Factor on the text lengths.
    new_words : sequence of str
        Words of which one in five words is, in a third of the messages.
    embedding : float
        Where the vectors lie, in standard deviations.
    groups : mapping of str to float
        Share of each category group.
    """

    shares: Sequence[float] = SHARES
    sure: float = 2.5
    length: float = 1.0
    new_words: Sequence[str] = ()
    embedding: float = 0.0
    groups: Mapping[str, float] = field(default_factory=lambda: {"food": 0.7, "other": 0.3})

    def draw(self, n: int, seed: int) -> tuple[pd.DataFrame, NDArray[np.int64], NDArray[np.float64]]:
        """Return features, predicted classes and probabilities of n messages."""
        random = np.random.default_rng(seed)
        predicted = random.choice(3, n, p=self.shares)
        scores = random.normal(size=(n, 3))
        scores[np.arange(n), predicted] += np.maximum(self.sure + scores.max(axis=1) / 2, 0)
        probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        values = {name: random.gamma(2.0, 10.0, n) for name in FIELDS.numbers}
        values["text_length"] = values["text_length"] * self.length
        values["year"] = np.full(n, 2020.0 + seed)
        features = pd.DataFrame(
            {
                "message_id": [f"m{seed}-{number}" for number in range(n)],
                "written_at": pd.Timestamp("2026-01-02T03:04:05Z").as_unit("us"),
                "text_hash": "h",
                "group": None,
                "text": self._texts(n, random),
                **values,
                "category_group": random.choice(list(self.groups), n, p=list(self.groups.values())),
                "embedding": pd.Series(
                    list(random.normal(size=(n, DIMS), loc=self.embedding).astype(np.float32)), dtype=object
                ),
            }
        )
        return features, predicted, probabilities

    def _texts(self, n: int, random: np.random.Generator) -> list[str]:
        words = random.choice(_WORDS, (n, 20)).astype(object)
        if self.new_words:
            new = (random.random((n, 20)) < 0.2) & (random.random((n, 1)) < 1 / 3)
            words[new] = random.choice(list(self.new_words), int(new.sum()))
        return [" ".join(row) for row in words]


USUAL = Messages()


def make_reference(
    folder: Path, n: int = 1500, size: int = 2000, seed: int = 1, messages: Messages = USUAL
) -> Reference:
    """Return the reference that a champion of the usual world keeps; its files are in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    features, predicted, probabilities = messages.draw(n, seed)
    write_reference(folder, FIELDS, features, predicted, predicted, probabilities, features["text"], size)
    return Reference(
        np.bincount(predicted, minlength=3),
        np.array(messages.shares),
        float(of_predicted(probabilities, predicted).mean()),
        float(entropies(probabilities).mean()),
        FIELDS,
        sample_frame(read_checked(folder / "reference.parquet")),
        Vocabulary.from_table(read_checked(folder / "words.parquet")),
    )


def write_batch(folder: Path, name: str, messages: Messages, n: int, seed: int, size: int = 2000) -> ScoredBatch:
    """Write the predictions and the sample of a batch."""
    features, predicted, probabilities = messages.draw(n, seed)
    predictions = pd.DataFrame(
        {
            "message_id": features["message_id"],
            "predicted_class": predicted,
            "predicted_label": [CLASSES[index] for index in predicted],
            **{f"probability_{label}": probabilities[:, index] for index, label in enumerate(CLASSES)},
            "model_version": "v0001",
            "feature_version": "f",
            "predicted_at": pd.Timestamp("2026-01-03T00:00:00Z").as_unit("us"),
        }
    )
    path = folder / name / "predictions.parquet"
    write_parquet(path, pa.Table.from_pandas(predictions, predictions_schema(CLASSES), preserve_index=False))
    rows = features[FIELDS.schema.names].assign(
        predicted_class=predicted, probabilities=pd.Series(list(probabilities), dtype=object)
    )
    kept = KeptSample(size, sample_schema(FIELDS))
    kept.add(pa.Table.from_pandas(rows, sample_schema(FIELDS), preserve_index=False))
    write_sample(folder / "samples" / f"{name}.parquet", kept.rows)
    return ScoredBatch(name, path, folder / "samples" / f"{name}.parquet")
