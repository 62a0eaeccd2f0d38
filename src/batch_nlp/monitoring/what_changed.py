"""What changed in a batch: a sentence about it, the words that changed, and the messages to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from batch_nlp.config import DriftConfig
from batch_nlp.errors import count, printable
from batch_nlp.monitoring.findings import ChangedWord, Comparison, Example
from batch_nlp.monitoring.rules import NO_REFERENCE, less_sure, name_tests
from batch_nlp.monitoring.scored import Scored
from batch_nlp.monitoring.statistics.homogeneity import holm, share_difference
from batch_nlp.storage.reference import of_predicted
from batch_nlp.storage.samples import read_checked
from batch_nlp.storage.vocabulary import MIN_MESSAGES, Vocabulary

# Most words to show, and fewest messages of batch and hold-out together for testing a word
_SHOWN, _MIN_MESSAGES = 15, 10
# Messages to look at, of each kind
_NUMBER = 5


def explain(n: int, has_reference: bool, comparison: Comparison | None, settings: DriftConfig) -> str:
    """Say what changed in `n` messages since the hold-out: the mix of messages, the model's confidence, or both."""
    if not has_reference:
        return NO_REFERENCE
    if comparison is None:
        return f"{count(n, 'message')}, too few to be compared with the hold-out" if n else "no messages were predicted"
    mix = [test for test in comparison.tests if test.kind == "mix" and test.counts]
    now, before = comparison.confidence.batch or 0.0, comparison.confidence.reference or 0.0
    changed = f"the mix of messages changed ({name_tests(mix)})"
    sure = ""
    if less_sure(comparison, settings):
        sure = "less sure"
    elif any(test.kind == "quality" and test.counts for test in comparison.tests):
        surer = now - before >= settings.min_confidence_drop
        sure = "surer" if surer else "as sure on average, but not message by message"
    if sure:
        sure = f"the model is {sure} ({now:.2f} where it was {before:.2f})"
        return f"{changed}, and {sure}" if mix else f"{sure}, the mix of messages is as before"
    if mix:
        return f"{changed}, the model is as sure as before"
    if any(test.p_adjusted < settings.significance for test in comparison.tests):
        return "what differs beyond chance is too small to matter"
    return "nothing differs beyond chance"


def changed_words(
    messages: Sequence[set[str]], vocabulary: Vocabulary, hold_out: int, significance: float
) -> list[ChangedWord]:
    """Return the words whose share of the messages changed beyond chance, strongest change first.

    `messages` holds the distinct words of each message in the batch, `hold_out` is the number of messages in the
    champion's hold-out, and `significance` is the level after the correction for the number of words.
    """
    if not messages or not hold_out:
        return []
    counts = Counter(word for words in messages for word in words)
    n = len(messages)
    before = vocabulary.hold_out
    # a word outside the vocabulary is in at most so many held-out messages; the test assumes that maximum
    most = min(MIN_MESSAGES - 1, hold_out)
    tested = sorted(
        word for word in counts.keys() | before.keys() if counts[word] + before.get(word, most) >= _MIN_MESSAGES
    )
    p_values = [share_difference(counts[word], n, before.get(word, most), hold_out) for word in tested]
    found = sorted(zip(holm(p_values), p_values, tested, strict=True))
    return [
        ChangedWord(word, counts[word] / n, before.get(word, 0) / hold_out, adjusted)
        for adjusted, _, word in found[:_SHOWN]
        if adjusted < significance
    ]


def choose_examples(
    scored: Scored, predictions: Path, unknown_words: Sequence[float], classes: Sequence[str], out: Sequence[int]
) -> list[Example]:
    """Return the messages to look at, each with the reason.

    Messages without a class come first, beginning with the surest, which are the most likely to have one. The least
    sure messages with a class follow, then the surest of each class outside its band, and those with most unknown
    words.

    `predictions` is the file with the message ids, `unknown_words` the share of unknown words in each message of the
    sample (empty where it is unknown), and `out` the classes outside their band.
    """
    if not scored.n:
        return []
    answered = scored.predicted < scored.probabilities.shape[1]
    chosen = [(row, "no class, nearly sure enough for one") for row in _smallest(-scored.confidence, ~answered)]
    chosen += [(row, "least sure") for row in _smallest(scored.confidence, answered)]
    for index in out:
        why = f"predicted {classes[index]}, whose share is outside its band"
        chosen += [(row, why) for row in _smallest(-scored.confidence, scored.predicted == index)]
    ids = read_checked(predictions, ["message_id"])["message_id"].take(pa.array([row for row, _ in chosen]))
    examples = [
        Example(name, classes[scored.predicted[row]], float(scored.confidence[row]), why)
        for name, (row, why) in zip(ids.to_pylist(), chosen, strict=True)
    ]
    return examples + _with_unknown_words(scored, unknown_words, classes)


def with_snippets(examples: Sequence[Example], texts: Mapping[str, str], length: int) -> list[Example]:
    """Add up to `length` characters of the texts, given by message id, to the examples whose text is known."""

    def snippet(text: str) -> str:
        line = printable(" ".join(text[: 10 * length].split()), None, " ")
        return line if len(line) <= length else f"{line[: length - 1]}…"

    return [
        replace(example, snippet=snippet(texts[example.message_id])) if example.message_id in texts else example
        for example in examples
    ]


def _with_unknown_words(scored: Scored, unknown_words: Sequence[float], classes: Sequence[str]) -> list[Example]:
    if scored.sample is None or not len(unknown_words):
        return []
    rows = scored.sample.iloc[[row for row in _smallest(-np.asarray(unknown_words)) if unknown_words[row] > 0]]
    return [
        Example(str(name), classes[index], _confidence(probabilities, index), "most unknown words")
        for name, index, probabilities in zip(
            rows["message_id"], rows["predicted_class"].tolist(), rows["probabilities"], strict=True
        )
    ]


def _confidence(probabilities: NDArray[np.float64], predicted: int) -> float:
    return float(of_predicted(probabilities[np.newaxis], np.array([predicted]))[0])


def _smallest(values: NDArray[np.float64], among: NDArray[np.bool_] | None = None) -> list[int]:
    """Return the positions of the smallest values, smallest first; `among` leaves out those that are False."""
    rows = np.arange(len(values)) if among is None else np.flatnonzero(among)
    number = min(_NUMBER, len(rows))
    if not number:
        return []
    chosen = values[rows]
    places = np.argpartition(chosen, number - 1)[:number]
    return [int(rows[place]) for place in places[np.argsort(chosen[places], kind="stable")]]
