"""Banks of words and phrases, and lookup tables for drawing clauses fast."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

from batch_nlp.sample.random_by_index import Draw, Item

Table = tuple[str, ...]
Clause = tuple[str, tuple[Table, ...]]
Clauses = tuple[Clause, ...]

# A power of two, so that the low bits of a random integer are an index
TABLE = 1024
MASK = TABLE - 1
_SLOT = re.compile(r"\{(\w+)\}")


@lru_cache(maxsize=16)
def bank(name: str) -> Any:
    """Return the content of ``data/<name>.yaml``, which must not be modified."""
    text = files("batch_nlp.sample").joinpath("data", f"{name}.yaml").read_text("utf-8")
    # libyaml is ten times as fast, if PyYAML was built with it
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text).get_single_data()


def spread(items: Sequence[Item]) -> tuple[Item, ...]:
    """Return a table of `TABLE` entries in which earlier items are more frequent, as in Zipf's law."""
    return weighted([(item, (rank + 6) ** -0.8) for rank, item in enumerate(items)])


def weighted(items: Iterable[tuple[Item, float]]) -> tuple[Item, ...]:
    """Return a table of `TABLE` entries in which each item's share is proportional to its weight."""
    items = list(items)
    total = sum(weight for _, weight in items)
    table: list[Item] = []
    reached = 0.0
    for item, weight in items:
        reached += weight
        table.extend([item] * (round(TABLE * reached / total) - len(table)))
    return tuple(table)


def _with_article(word: str) -> str:
    return f"{'an' if word[0] in 'aeiouAEIOUX' else 'a'} {word}"


def word_tables(slots: Mapping[str, Sequence[str]]) -> dict[str, Table]:
    """Return slot name -> table of its words, and ``a_`` with the name -> table of the words with their article."""
    with_article = {f"a_{name}": [_with_article(word) for word in words] for name, words in slots.items()}
    return {name: spread(words) for name, words in (*slots.items(), *with_article.items())}


def compile_clauses(clauses: Sequence[str], words: Mapping[str, Table]) -> Clauses:
    """Return a table of clauses whose ``{slots}`` are filled from tables of words."""
    compiled: list[Clause] = []
    for clause in clauses:
        tables = tuple(words[name] for name in _SLOT.findall(clause))
        compiled.append((_SLOT.sub("%s", clause.replace("%", "%%")), tables))
    return spread(compiled)


def draw_clause(clauses: Clauses, told: set[str], draw: Draw) -> str:
    """Draw a clause in lower case without a full stop, and add its pattern to `told`.

    A pattern that was used already is drawn again once, since people seldom repeat themselves.
    """
    pattern, tables = clauses[draw() & MASK]
    if pattern in told:
        pattern, tables = clauses[draw() & MASK]
    told.add(pattern)
    return pattern % tuple([table[draw() & MASK] for table in tables])
