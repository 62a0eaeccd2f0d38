"""The kinds of businesses with their words, and the clauses of their reviews by tone."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Any

from batch_nlp.sample.clauses import Clauses, bank, compile_clauses, word_tables


def topics() -> list[dict[str, Any]]:
    """Return the kinds of businesses, most frequent first."""
    found: list[dict[str, Any]] = bank("yelp_topics")
    return found


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
        words = shared | word_tables(topic["slots"])
        special = {**topic, "great": topic["good"][::2], "awful": topic["bad"][::2], "sarcasm": []}
        clauses = [_interleave(phrases[tone.name], special[tone.name]) for tone in Tone]
        grammars.append(tuple(compile_clauses(clause, words) for clause in clauses))
    return tuple(grammars)


@lru_cache(maxsize=1)
def novel_grammar() -> Grammar:
    """Return the grammar of messages about things that the history does not mention."""
    phrases = bank("yelp_novelty")
    words = word_tables(phrases["slots"])
    return tuple(compile_clauses(phrases[tone.name], words) for tone in Tone)
