"""What a champion keeps of its hold-out, to compare later batches with it.

There are two files in the model's folder: a sample of the held-out messages without texts, and the words of training
and hold-out. Figures of the whole hold-out are in the manifest.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from batch_nlp.fields import TEXT, Fields
from batch_nlp.storage.parquet import write_parquet
from batch_nlp.storage.samples import PREDICTED, KeptSample, read_checked, sample_frame, sample_schema
from batch_nlp.storage.vocabulary import MAX_TEXTS, Vocabulary, detect_languages, words_of

REFERENCE_FILE, WORDS_FILE = "reference.parquet", "words.parquet"
# Held-out messages to process at a time
_ROWS = 10_000

_LABEL = pa.field("label", pa.int16())


def reference_schema(fields: Fields) -> pa.Schema:
    """Return the columns of a reference's sample.

    It has no texts: comparisons do not need them, and the reference is copied wherever the model is.
    """
    kept = [fields.schema.field(name) for name in (*fields.numbers, *fields.categories, *fields.vectors)]
    # the language is only detected for the first messages
    found = pa.field("unknown_words", pa.float64()), pa.field("language", pa.string())
    return pa.schema([pa.field("message_id", pa.string()), _LABEL, *PREDICTED, *kept, *found])


def entropies(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the entropy in nats, shape (n,), of each row of probabilities, shape (n, n_classes)."""
    sure = np.clip(probabilities, np.finfo(np.float64).tiny, 1.0)
    return np.asarray(-(probabilities * np.log(sure)).sum(axis=1))


def of_predicted(probabilities: NDArray[np.float64], predicted: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the probability of each predicted class, shape (n,), from those of all classes, shape (n, n_classes).

    Of a message without a class, whose prediction is ``n_classes``, it is that of the most probable class.
    """
    k = probabilities.shape[1]
    found = probabilities[np.arange(len(predicted)), np.minimum(predicted, k - 1)]
    return np.asarray(np.where(predicted < k, found, probabilities.max(axis=1, initial=0.0)))


@dataclass(frozen=True)
class Reference:
    """What a champion predicted on its hold-out.

    Parameters
    ----------
    counts : ndarray of int64, shape (n_classes,)
        Predictions of each class, over the whole hold-out.
    training_shares : ndarray, shape (n_classes,)
        Shares of the classes among its training rows.
    confidence, entropy : float
        Mean probability of the predicted class and mean entropy in nats, over the whole hold-out.
    sample : DataFrame
        Some held-out messages, the columns of `reference_schema`; vectors and ``probabilities`` are object columns of
        arrays.
    vocabulary : Vocabulary
        Words of training and of the whole hold-out.
    """

    counts: NDArray[np.int64]
    training_shares: NDArray[np.float64]
    confidence: float
    entropy: float
    fields: Fields
    sample: pd.DataFrame
    vocabulary: Vocabulary

    @classmethod
    def read(cls, folder: Path, manifest: dict[str, Any]) -> Reference | None:
        """Return the reference in a model's folder whose manifest was checked, None if the model has none."""
        if not {REFERENCE_FILE, WORDS_FILE} <= set(manifest["files"]):
            return None
        facts = manifest["reference"]
        return cls(
            np.asarray(facts["predicted_counts"], dtype=np.int64),
            np.asarray(facts["training_shares"], dtype=np.float64),
            float(facts["mean_confidence"]),
            float(facts["mean_entropy"]),
            Fields.from_list(manifest["fields"]),
            sample_frame(read_checked(folder / REFERENCE_FILE)),
            Vocabulary.from_table(read_checked(folder / WORDS_FILE)),
        )


def write_reference(
    folder: Path,
    fields: Fields,
    hold_out: pd.DataFrame,
    labels: NDArray[np.int64],
    predicted: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    training_texts: pd.Series[str],
    size: int,
) -> None:
    """Write the two files of a model's reference, with a sample of `size` messages, to the model's folder.

    The held-out messages are rows of the feature store. Labels, predictions and probabilities have the same order.
    """
    vocabulary = Vocabulary.count(training_texts, hold_out[TEXT])
    with_text = sample_schema(fields).append(_LABEL)
    sample = KeptSample(size, with_text)
    for start in range(0, len(hold_out), _ROWS):
        part = slice(start, start + _ROWS)
        rows = hold_out.iloc[part].assign(
            label=labels[part], predicted_class=predicted[part], probabilities=list(probabilities[part])
        )
        sample.add(pa.Table.from_pandas(rows, with_text, preserve_index=False))
    texts = sample.rows[TEXT].to_pylist()
    found = {
        "unknown_words": [vocabulary.unknown_share(words_of(text)) for text in texts],
        "language": detect_languages(texts[:MAX_TEXTS]) + [None] * max(len(texts) - MAX_TEXTS, 0),
    }
    schema = reference_schema(fields)
    columns = [found[name] if name in found else sample.rows[name] for name in schema.names]
    write_parquet(folder / REFERENCE_FILE, pa.table(columns, schema=schema).combine_chunks())
    write_parquet(folder / WORDS_FILE, vocabulary.to_table())
