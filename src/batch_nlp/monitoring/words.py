"""Words whose share of the messages changed since the hold-out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from batch_nlp.monitoring.analysis import ChangedWord
from batch_nlp.monitoring.statistics.homogeneity import share_difference
from batch_nlp.monitoring.statistics.multiple import holm
from batch_nlp.storage.vocabulary import MIN_MESSAGES, Vocabulary

# Words to show, and messages of batch and hold-out together under which a word's test cannot say much
_SHOWN, _MIN_MESSAGES = 15, 10


def changed_words(
    messages: Sequence[set[str]], vocabulary: Vocabulary, held_out: int, significance: float
) -> list[ChangedWord]:
    """Return the words whose share of the messages changed beyond chance, strongest change first.

    Parameters
    ----------
    messages : sequence of set of str
        Distinct words of each message of the batch.
    vocabulary : Vocabulary
        Of the champion.
    held_out : int
        Messages of its hold-out.
    significance : float
        Level of the tests, corrected for the number of words.
    """
    if not messages or not held_out:
        return []
    counts = Counter(word for words in messages for word in words)
    n = len(messages)
    before = vocabulary.held_out
    # a word that the vocabulary leaves out is in fewer held-out messages than this: the test takes the most it can be
    most = min(MIN_MESSAGES - 1, held_out)
    tested = sorted(
        word for word in counts.keys() | before.keys() if counts[word] + before.get(word, most) >= _MIN_MESSAGES
    )
    p_values = [share_difference(counts[word], n, before.get(word, most), held_out) for word in tested]
    found = sorted(zip(holm(p_values), p_values, tested, strict=True))
    return [
        ChangedWord(word, counts[word] / n, before.get(word, 0) / held_out, adjusted)
        for adjusted, _, word in found[:_SHOWN]
        if adjusted < significance
    ]
