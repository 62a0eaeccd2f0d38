"""Users and businesses: their properties are functions of their index, so nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from batch_nlp.config import SampleConfig
from batch_nlp.sample.random_by_index import Float, Index, ids, uniform
from batch_nlp.sample.yelp.grammar import topics

FIRST_DAY = date(2012, 1, 1)
LAST_DAY = date(2024, 12, 31)
_FIRST_SIGN_UP = date(2006, 1, 1)
_LAST_SIGN_UP = date(2024, 6, 30)
_LEAST = 20

DAY = 86_400


def seconds(day: date) -> int:
    """Return the seconds from 1970 to the start of a day, UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class World:
    """The users and businesses of a history and its batches; larger indices are missing from the tables."""

    seed: int
    users: int
    businesses: int

    @classmethod
    def of(cls, settings: SampleConfig) -> World:
        """Return the world of a history: one user per four messages, one business per twenty."""
        return cls(settings.seed, max(_LEAST, settings.messages // 4), max(_LEAST, settings.messages // 20))

    def user_ids(self, index: Index) -> list[str]:
        """Return the id of each user."""
        return ids(self.seed, "user", index)

    def business_ids(self, index: Index) -> list[str]:
        """Return the id of each business."""
        return ids(self.seed, "business", index)

    def signed_up(self, index: Index) -> Index:
        """Return when each user joined (seconds since 1970); most joined early."""
        first, last = seconds(_FIRST_SIGN_UP), seconds(_LAST_SIGN_UP)
        return (first + uniform(self.seed, "signed_up", index) ** 1.3 * (last - first)).astype(np.int64)

    def leniency(self, index: Index) -> Float:
        """Return how kindly each user rates, from 0 (harsh) to 1."""
        return uniform(self.seed, "leniency", index)

    def quality(self, index: Index) -> Float:
        """Return how good each business is, from 0 to 1 (best)."""
        return uniform(self.seed, "quality", index)

    def topics(self, index: Index) -> Index:
        """Return the topic of each business, as an index into `topics`."""
        bounds = np.cumsum([topic["weight"] for topic in topics()])[:-1]
        return np.searchsorted(bounds, uniform(self.seed, "topic", index), side="right")
