"""What a champion keeps of its hold-out, to compare later batches with.

Two files in the model's folder: a sample of the held-out messages without their texts, and the words of training and
hold-out. What is known of the whole hold-out is in the manifest.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from batch_nlp.contracts import CATEGORICAL_FEATURES, EMBEDDING, NUMERIC_FEATURES
from batch_nlp.storage.atomic import write_parquet
from batch_nlp.storage.languages import MAX_TEXTS, detect_languages
from batch_nlp.storage.samples import PREDICTED, SAMPLE_SCHEMA, KeptSample, read_checked, sample_frame
from batch_nlp.storage.vocabulary import Vocabulary, words_of

REFERENCE_FILE, WORDS_FILE = "reference.parquet", "words.parquet"
# Held-out messages that are looked at together
_ROWS = 10_000

# no text: comparisons do without, and a reference goes wherever the model goes
REFERENCE_SCHEMA = pa.schema(
    [
        ("message_id", pa.string()),
        ("label", pa.int16()),
        *PREDICTED,
        *((name, pa.float64()) for name in NUMERIC_FEATURES),
        *((name, pa.string()) for name in CATEGORICAL_FEATURES),
        (EMBEDDING, pa.list_(pa.float32())),
        ("unknown_words", pa.float64()),
        # of the first messages alone
        ("language", pa.string()),
    ]
)
# what they are made of
_WITH_TEXT = pa.schema([*SAMPLE_SCHEMA, ("label", pa.int16())])


def entropies(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the entropy of each row of probabilities in nats, shape (n,).

    Parameters
    ----------
    probabilities : ndarray, shape (n, n_classes)
    """
    sure = np.clip(probabilities, np.finfo(np.float64).tiny, 1.0)
    return np.asarray(-(probabilities * np.log(sure)).sum(axis=1))


def of_predicted(probabilities: NDArray[np.float64], predicted: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the probability of each predicted class, shape (n,).

    Parameters
    ----------
    probabilities : ndarray, shape (n, n_classes)
    predicted : ndarray of int, shape (n,)
    """
    return np.asarray(probabilities[np.arange(len(predicted)), predicted])


@dataclass(frozen=True)
class Reference:
    """What a champion predicted on its hold-out.

    Parameters
    ----------
    counts : ndarray of int64, shape (n_classes,)
        Predictions of each class, of the whole hold-out.
    training_shares : ndarray, shape (n_classes,)
        Shares of the classes among the rows that it was trained on.
    confidence, entropy : float
        Mean probability of the predicted class and mean entropy in nats, of the whole hold-out.
    sample : DataFrame
        Some held-out messages, the columns of `REFERENCE_SCHEMA`; ``embedding`` and ``probabilities`` are object
        columns of vectors.
    vocabulary : Vocabulary
        Words of training and of the whole hold-out.
    """

    counts: NDArray[np.int64]
    training_shares: NDArray[np.float64]
    confidence: float
    entropy: float
    sample: pd.DataFrame
    vocabulary: Vocabulary

    @classmethod
    def read(cls, folder: Path, manifest: dict[str, Any]) -> Reference | None:
        """Return the reference in a model's folder, None where the model keeps none.

        Parameters
        ----------
        folder : Path
            A version in the registry.
        manifest : dict
            Its manifest, as the registry reads it after checking the files.
        """
        if not {REFERENCE_FILE, WORDS_FILE} <= set(manifest["files"]):
            return None
        facts = manifest["reference"]
        return cls(
            np.asarray(facts["predicted_counts"], dtype=np.int64),
            np.asarray(facts["training_shares"], dtype=np.float64),
            float(facts["mean_confidence"]),
            float(facts["mean_entropy"]),
            sample_frame(read_checked(folder / REFERENCE_FILE)),
            Vocabulary.from_table(read_checked(folder / WORDS_FILE)),
        )


def write_reference(
    folder: Path,
    held_out: pd.DataFrame,
    labels: NDArray[np.int64],
    predicted: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    training_texts: pd.Series[str],
    size: int,
) -> None:
    """Write the two files of a model's reference.

    Parameters
    ----------
    folder : Path
        Of the model.
    held_out : DataFrame, shape (n, ...)
        Rows of the feature store.
    labels, predicted : ndarray of int, shape (n,)
    probabilities : ndarray, shape (n, n_classes)
    training_texts : Series of str
        Texts that the model was trained on.
    size : int
        Messages of the sample.
    """
    vocabulary = Vocabulary.count(training_texts, held_out["text"])
    sample = KeptSample(size, _WITH_TEXT)
    for start in range(0, len(held_out), _ROWS):
        part = slice(start, start + _ROWS)
        rows = held_out.iloc[part].assign(
            label=labels[part], predicted_class=predicted[part], probabilities=list(probabilities[part])
        )
        sample.add(pa.Table.from_pandas(rows, _WITH_TEXT, preserve_index=False))
    texts = sample.rows["text"].to_pylist()
    found = {
        "unknown_words": [vocabulary.unknown_share(words_of(text)) for text in texts],
        "language": detect_languages(texts[:MAX_TEXTS]) + [None] * max(len(texts) - MAX_TEXTS, 0),
    }
    columns = [found[name] if name in found else sample.rows[name] for name in REFERENCE_SCHEMA.names]
    write_parquet(folder / REFERENCE_FILE, pa.table(columns, schema=REFERENCE_SCHEMA).combine_chunks())
    write_parquet(folder / WORDS_FILE, vocabulary.to_table())
