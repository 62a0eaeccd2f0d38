"""What each kind of business is called, is made of, and is praised or blamed for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from batch_nlp.sample.banks import bank


@dataclass(frozen=True)
class Topic:
    """One kind of business.

    Attributes
    ----------
    weight : float
        Share of the businesses that are of this kind.
    group : str
        The Yelp category that all of them carry.
    categories : list of str
        Further Yelp categories, from which a business takes some.
    names : list of str
        Endings of business names.
    slots : dict of str to list of str
        Words for ``place``, ``thing``, ``things`` and ``person``.
    good, okay, bad, fact : list of str
        Clauses that only this kind of business gets.
    """

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
    """Return the kinds of businesses, the most frequent first."""
    return tuple(Topic(**topic) for topic in bank("yelp_topics"))
