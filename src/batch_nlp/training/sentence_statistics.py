"""How the scores of a text's sentences vary."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Of each score over the sentences of a text
STATISTICS = ("min", "max", "std", "first", "last")


def sentence_statistics(scores: NDArray[np.float64], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the `STATISTICS` of the scores of each text's sentences, and the number of sentences.

    Parameters
    ----------
    scores : ndarray of float64, shape (n_sentences, k)
    starts : ndarray of int64, shape (n_texts,)
        Where the sentences of each text start; each text has at least one.

    Returns
    -------
    ndarray of float64, shape (n_texts, 5 k + 1)
    """
    if not len(starts):
        return np.empty((0, len(STATISTICS) * scores.shape[1] + 1))
    ends = np.append(starts[1:], len(scores))
    number = (ends - starts)[:, np.newaxis].astype(np.float64)
    mean = np.add.reduceat(scores, starts) / number
    off = scores - np.repeat(mean, ends - starts, axis=0)
    deviation = np.sqrt(np.add.reduceat(off**2, starts) / number)
    least, greatest = np.minimum.reduceat(scores, starts), np.maximum.reduceat(scores, starts)
    return np.hstack([least, greatest, deviation, scores[starts], scores[ends - 1], number])
