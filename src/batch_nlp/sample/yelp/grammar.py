"""The kinds of businesses with their words, and the clauses of their reviews by tone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from batch_nlp.sample.clauses import Clauses, bank, compile_clauses, word_tables


@dataclass(frozen=True)
class Topic:
    """One kind of business, as ``data/yelp_topics.yaml`` describes it."""

    weight: float
    group: str
    categories: list[str]
    names: list[str]
    slots: dict[str, list[str]]
    good: list[str]
    okay: list[str]
    bad: list[str]
    fact: list[str]


@lru_cache(maxsize=1)
def topics() -> tuple[Topic, ...]:
    """Return the kinds of businesses, most frequent first."""
    return tuple(Topic(**topic) for topic in bank("yelp_topics"))


class Tone(IntEnum):
    """The tone of a clause."""

    great = 0
    good = 1
    okay = 2
    bad = 3
    awful = 4
    fact = 5
    sarcasm = 6


Grammar = tuple[Clauses, ...]


def _interleave(common: Sequence[str], special: Sequence[str]) -> list[str]:
    """Insert a special clause after every second common one, so that both are drawn about equally often."""
    merged = list(common)
    for place, clause in enumerate(special):
        merged.insert(3 * place + 1, clause)
    return merged


@lru_cache(maxsize=1)
def topic_grammars() -> tuple[Grammar, ...]:
    """Return the grammar of each topic: a table of clauses per tone."""
    phrases = bank("yelp_phrases")
    shared = word_tables(phrases["slots"])
    grammars: list[Grammar] = []
    for topic in topics():
        words = shared | word_tables(topic.slots)
        special = {
            Tone.great: topic.good[::2],
            Tone.good: topic.good,
            Tone.okay: topic.okay,
            Tone.bad: topic.bad,
            Tone.awful: topic.bad[::2],
            Tone.fact: topic.fact,
            Tone.sarcasm: [],
        }
        grammars.append(tuple(compile_clauses(_interleave(phrases[tone.name], special[tone]), words) for tone in Tone))
    return tuple(grammars)


@lru_cache(maxsize=1)
def novel_grammar() -> Grammar:
    """Return the grammar of messages about things that the history does not mention."""
    phrases = bank("yelp_novelty")
    words = word_tables(phrases["slots"])
    return tuple(compile_clauses(phrases[tone.name], words) for tone in Tone)
