"""Messages that a person should look at, by their ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from batch_nlp.monitoring.analysis import Example
from batch_nlp.monitoring.scored import Scored
from batch_nlp.storage.samples import read_checked

# Of each kind
_NUMBER = 5


def choose_examples(
    scored: Scored, predictions: Path, unknown_words: Sequence[float], classes: Sequence[str], out: Sequence[int]
) -> list[Example]:
    """Return the least sure messages, those with most unknown words, and the surest of classes out of the band.

    Parameters
    ----------
    scored : Scored
    predictions : Path
        Where the ids are.
    unknown_words : sequence of float
        Share of the unknown words of each message of the sample; empty where it is not known.
    classes : sequence of str
    out : sequence of int
        Classes out of the band.
    """
    if not scored.n:
        return []
    chosen = [(row, "least sure") for row in _smallest(scored.confidence)]
    for index in out:
        rows = np.flatnonzero(scored.predicted == index)
        why = f"predicted {classes[index]}, whose share is out of the band"
        chosen += [(int(rows[place]), why) for place in _smallest(-scored.confidence[rows])]
    ids = read_checked(predictions, ["message_id"])["message_id"].take(pa.array([row for row, _ in chosen]))
    examples = [
        Example(name, classes[scored.predicted[row]], float(scored.confidence[row]), why)
        for name, (row, why) in zip(ids.to_pylist(), chosen, strict=True)
    ]
    return examples + _with_unknown_words(scored, unknown_words, classes)


def _with_unknown_words(scored: Scored, unknown_words: Sequence[float], classes: Sequence[str]) -> list[Example]:
    if scored.sample is None or not len(unknown_words):
        return []
    rows = scored.sample.iloc[[row for row in _smallest(-np.asarray(unknown_words)) if unknown_words[row] > 0]]
    return [
        Example(str(name), classes[index], float(probabilities[index]), "most unknown words")
        for name, index, probabilities in zip(
            rows["message_id"], rows["predicted_class"].tolist(), rows["probabilities"], strict=True
        )
    ]


def _smallest(values: NDArray[np.float64]) -> list[int]:
    """Return the places of the smallest values, smallest first."""
    number = min(_NUMBER, len(values))
    if not number:
        return []
    places = np.argpartition(values, number - 1)[:number]
    return [int(place) for place in places[np.argsort(values[places], kind="stable")]]
