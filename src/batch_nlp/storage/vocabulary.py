"""The languages and words of messages, and how many messages of training and hold-out contain each word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import pyarrow as pa

from batch_nlp.words import find_pairs, find_words

UNKNOWN = "unknown"
# Languages are detected for this many texts, from this many first characters
MAX_TEXTS, MAX_CHARS = 500, 300
# Minimum number of letters in a text, and minimum confidence of the identifier
_MIN_LETTERS, _MIN_CONFIDENCE = 15, 0.5
# Minimum number of messages with a word: rarer words, which may be names, are neither known nor kept
MIN_MESSAGES = 3
MAX_WORDS = 50_000

# New numbers and marks mean nothing
_NO_LETTERS = re.compile(r"[\d_!?$！？]+")
_NO_ASCII_LETTERS = str.maketrans(dict.fromkeys("0123456789_!?$", " "))


def words_of(text: str) -> set[str]:
    """Return the distinct words of a text, in lower case, without numbers.

    Of scripts without spaces, these are characters and pairs of characters.

    Examples
    --------
    >>> sorted(words_of("Don't wait: 2 thumbs up, UP!"))
    ["don't", 'thumbs', 'up', 'wait']
    """
    lower = text.lower()
    if lower.isascii():  # the same, faster
        return set(find_words(lower.translate(_NO_ASCII_LETTERS)))
    letters = _NO_LETTERS.sub(" ", lower)
    return {*find_words(letters), *find_pairs(letters)}


def count_words(texts: Iterable[str]) -> Counter[str]:
    """Return how many of the texts contain each word."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(words_of(text))
    return counts


@dataclass(frozen=True)
class Vocabulary:
    """The words in at least `MIN_MESSAGES` messages, most frequent first.

    `training` and `hold_out` map each word to the messages of training, and of the hold-out, that contain it. Both have
    the same words.
    """

    training: dict[str, int]
    hold_out: dict[str, int]

    @classmethod
    def count(cls, training: Iterable[str], hold_out: Iterable[str]) -> Vocabulary:
        """Return the vocabulary of texts: at most `MAX_WORDS` words."""
        seen, later = count_words(training), count_words(hold_out)
        together = seen + later
        frequent = [word for word, count in together.items() if count >= MIN_MESSAGES]
        kept = sorted(frequent, key=lambda word: (-together[word], word))[:MAX_WORDS]
        return cls({word: seen[word] for word in kept}, {word: later[word] for word in kept})

    @classmethod
    def from_table(cls, table: pa.Table) -> Vocabulary:
        """Return the vocabulary in a table of `to_table`."""
        words, training, hold_out = (table[name].to_pylist() for name in ("word", "training", "holdout"))
        return cls(dict(zip(words, training, strict=True)), dict(zip(words, hold_out, strict=True)))

    def to_table(self) -> pa.Table:
        """Return a table of ``word``, ``training`` and ``holdout``."""
        return pa.table(
            {
                "word": pa.array(self.training, pa.string()),
                "training": pa.array(self.training.values(), pa.int32()),
                "holdout": pa.array(self.hold_out.values(), pa.int32()),
            }
        )

    @cached_property
    def known(self) -> frozenset[str]:
        """Words that training knows."""
        return frozenset(word for word, count in self.training.items() if count >= MIN_MESSAGES)

    def unknown_share(self, words: set[str]) -> float:
        """Return the share of a message's words that training does not know, 0 if it has no words."""
        return len(words - self.known) / len(words) if words else 0.0


@cache
def _identifier() -> Any:
    # loading takes half a second; the package has no type hints
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def detect_languages(texts: Iterable[str]) -> list[str]:
    """Return the language of each text as an ISO 639 code, `UNKNOWN` if it is too short or unclear.

    Examples
    --------
    >>> detect_languages(["The food was great and the staff were friendly", "Ok!!", "Das Essen war leider ganz kalt"])
    ['en', 'unknown', 'de']
    """
    return [_detect(text[:MAX_CHARS]) for text in texts]


def _detect(text: str) -> str:
    if sum(map(str.isalpha, text)) < _MIN_LETTERS:
        return UNKNOWN
    language, confidence = _identifier().classify(text)
    return str(language) if confidence >= _MIN_CONFIDENCE else UNKNOWN
