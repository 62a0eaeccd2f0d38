"""Turns the phrase banks into tables from which a clause is drawn in a microsecond."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import TypeVar

from batch_nlp.sample import novelty, phrases
from batch_nlp.sample.keys import Draw
from batch_nlp.sample.topics import TOPICS

Item = TypeVar("Item")
Table = tuple[str, ...]
Clause = tuple[str, tuple[Table, ...]]

# A power of two, so that the low bits of a random integer are an index.
TABLE = 1024
MASK = TABLE - 1
_SLOT = re.compile(r"\{(\w+)\}")


class Tone(IntEnum):
    """What a clause does in a review."""

    great = 0
    good = 1
    okay = 2
    bad = 3
    awful = 4
    fact = 5
    sarcasm = 6


Grammar = tuple[tuple[Clause, ...], ...]


def spread(items: Sequence[Item]) -> tuple[Item, ...]:
    """Return a table of `TABLE` entries in which earlier items stand more often, as in Zipf's law."""
    weights = [(rank + 6) ** -0.8 for rank in range(len(items))]
    total = sum(weights)
    table: list[Item] = []
    reached = 0.0
    for item, weight in zip(items, weights, strict=True):
        reached += weight
        table.extend([item] * (round(TABLE * reached / total) - len(table)))
    return tuple(table)


def _with_article(word: str) -> str:
    return f"{'an' if word[0] in 'aeiouAEIOUX' else 'a'} {word}"


def _banks(slots: Mapping[str, Sequence[str]]) -> dict[str, Table]:
    """Return the table of each slot by its name, and that of its words with their article under ``a_`` and its name."""
    with_article = {f"a_{name}": [_with_article(word) for word in words] for name, words in slots.items()}
    return {name: spread(words) for name, words in (*slots.items(), *with_article.items())}


def _compile(clauses: Sequence[str], banks: dict[str, Table]) -> tuple[Clause, ...]:
    compiled: list[Clause] = []
    for clause in clauses:
        tables = tuple(banks[name] for name in _SLOT.findall(clause))
        compiled.append((_SLOT.sub("%s", clause.replace("%", "%%")), tables))
    return spread(compiled)


def _interleave(common: Sequence[str], special: Sequence[str]) -> list[str]:
    """Put a special clause after every second common one, so that both are drawn about as often."""
    merged = list(common)
    for place, clause in enumerate(special):
        merged.insert(3 * place + 1, clause)
    return merged


@lru_cache(maxsize=1)
def topic_grammars() -> tuple[Grammar, ...]:
    """Return the grammar of each topic: for each tone, a table of clauses."""
    shared = _banks(phrases.SLOTS)
    grammars: list[Grammar] = []
    for topic in TOPICS:
        banks = shared | _banks(topic.slots)
        grammars.append(
            (
                _compile(_interleave(phrases.GREAT, topic.good[::2]), banks),
                _compile(_interleave(phrases.GOOD, topic.good), banks),
                _compile(_interleave(phrases.OKAY, topic.okay), banks),
                _compile(_interleave(phrases.BAD, topic.bad), banks),
                _compile(_interleave(phrases.AWFUL, topic.bad[::2]), banks),
                _compile(_interleave(phrases.FACT, topic.fact), banks),
                _compile(phrases.SARCASM, banks),
            )
        )
    return tuple(grammars)


@lru_cache(maxsize=1)
def novel_grammar() -> Grammar:
    """Return the grammar of messages about things that the history knows nothing of."""
    banks = _banks(novelty.SLOTS)
    tones = (
        novelty.GREAT,
        novelty.GOOD,
        novelty.OKAY,
        novelty.BAD,
        novelty.AWFUL,
        novelty.FACT,
        novelty.SARCASM,
    )
    return tuple(_compile(tone, banks) for tone in tones)


def clause_of(grammar: Grammar, tone: Tone, told: set[str], draw: Draw) -> str:
    """Draw a clause, in lower case and without a full stop, and note its pattern in `told`.

    A pattern that was told already gets a second draw, as people seldom say the same thing twice.
    """
    pattern, tables = grammar[tone][draw() & MASK]
    if pattern in told:
        pattern, tables = grammar[tone][draw() & MASK]
    told.add(pattern)
    return pattern % tuple([table[draw() & MASK] for table in tables])
