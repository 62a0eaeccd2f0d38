"""Generate the rows of the user and business tables by chunks, with Yelp's oddities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from batch_nlp.sample.clauses import bank
from batch_nlp.sample.random_by_index import Draw, generator, integers, pick
from batch_nlp.sample.yelp.grammar import topics
from batch_nlp.sample.yelp.world import LAST_DAY, World

Row = dict[str, Any]

_CHUNK = 1000

# Stream numbers of `generator`; stream 1 belongs to the reviews
_USERS = 2
_BUSINESSES = 3

_EATING = ("Restaurants", "Food", "Nightlife")


def users(world: World) -> Iterator[list[Row]]:
    """Yield the rows of the user table."""
    for start in range(0, world.users, _CHUNK):
        index = np.arange(start, min(start + _CHUNK, world.users))
        random = generator(world.seed, _USERS, start)
        draw = integers(random)
        # the lowest indices write most of the messages, so they have many reviews
        activity = (np.exp(random.normal(1.6, 1.1, len(index))) * ((index + 1) / world.users) ** -0.5).astype(np.int64)
        stars = np.clip(2.5 + 2.4 * world.leniency(index) + random.normal(0, 0.5, len(index)), 1, 5)
        friends = np.where(random.random(len(index)) < 0.5, 0, np.minimum(random.zipf(1.6, len(index)), 60))
        friend_ids = iter(world.user_ids(random.integers(0, world.users, int(friends.sum()))))
        yield [
            _user(user_id, 1 + reviews, [next(friend_ids) for _ in range(known)], average, signed_up, draw)
            for user_id, reviews, known, average, signed_up in zip(
                world.user_ids(index),
                np.minimum(activity, 5000).tolist(),
                friends.tolist(),
                np.round(stars, 2).tolist(),
                world.signed_up(index).tolist(),
                strict=True,
            )
        ]


def _user(user_id: str, reviews: int, friends: list[str], average: float, signed_up: int, draw: Draw) -> Row:
    joined = datetime.fromtimestamp(signed_up, UTC)
    # a few accounts have no reviews left, since they were moved or removed
    gone = draw() % 100 == 0
    popular = reviews if reviews > 20 else 0
    row: Row = {
        "user_id": user_id,
        "name": _name("first_names", draw),
        "review_count": 0 if gone else reviews,
        "yelping_since": joined.strftime("%Y-%m-%d %H:%M:%S"),
        "useful": draw() % (2 * reviews),
        "funny": draw() % reviews,
        "cool": draw() % reviews,
        "elite": _elite(joined.year, reviews, draw),
        "friends": ", ".join(friends) or "None",
        "fans": draw() % (1 + reviews // 10),
        "average_stars": 0.0 if gone else average,
    }
    for name in bank("yelp_attributes")["compliments"]:
        row[f"compliment_{name}"] = draw() % (1 + popular // 8) if popular else 0
    return row


def _elite(joined: int, reviews: int, draw: Draw) -> str:
    """Return the elite years as Yelp writes them: 2020 is "20,20"; no year is "" or, in older files, "None"."""
    if reviews < 15 or draw() % 3:
        return "None" if draw() % 8 == 0 else ""
    first = joined + draw() % 4
    last = min(first + draw() % 6, LAST_DAY.year)
    return ",".join("20,20" if year == 2020 else str(year) for year in range(first, last + 1))


def businesses(world: World) -> Iterator[list[Row]]:
    """Yield the rows of the business table."""
    for start in range(0, world.businesses, _CHUNK):
        index = np.arange(start, min(start + _CHUNK, world.businesses))
        random = generator(world.seed, _BUSINESSES, start)
        draw = integers(random)
        stars = np.clip(2.0 + 3.0 * world.quality(index) + random.normal(0, 0.4, len(index)), 1, 5)
        counts = 5 + np.exp(random.normal(2.5, 1.2, len(index)))
        yield [
            _business(business_id, topics()[topic], rating, reviews, draw)
            for business_id, topic, rating, reviews in zip(
                world.business_ids(index),
                world.topics(index).tolist(),
                (np.round(stars * 2) / 2).tolist(),
                counts.astype(np.int64).tolist(),
                strict=True,
            )
        ]


def _business(business_id: str, topic: dict[str, Any], stars: float, reviews: int, draw: Draw) -> Row:
    city, state, postal_code, latitude, longitude = _name("cities", draw)
    owner = f"{_name('surnames', draw)}'s" if draw() % 2 else _name("adjectives", draw)
    categories = [topic["group"], *(pick(topic["categories"], draw) for _ in range(1 + draw() % 4))]
    turn = draw() % len(categories)
    return {
        "business_id": business_id,
        "name": f"{owner} {pick(topic['names'], draw)}",
        "address": "" if draw() % 20 == 0 else f"{1 + draw() % 9900} {_name('streets', draw)}",
        "city": city,
        "state": state,
        "postal_code": postal_code,
        "latitude": round(latitude + (draw() % 2000 - 1000) / 1e4, 7),
        "longitude": round(longitude + (draw() % 2000 - 1000) / 1e4, 7),
        "stars": stars,
        "review_count": reviews,
        "is_open": int(draw() % 5 > 0),
        "attributes": None if draw() % 10 == 0 else _attributes(topic, draw),
        # the main category is anywhere in the list, and a few businesses have no categories
        "categories": None if draw() % 100 == 0 else ", ".join(dict.fromkeys(categories[turn:] + categories[:turn])),
        "hours": None if draw() % 6 == 0 else _hours(draw),
    }


def _name(kind: str, draw: Draw) -> Any:
    return pick(bank("yelp_names")[kind], draw)


def _attributes(topic: dict[str, Any], draw: Draw) -> dict[str, str]:
    known = bank("yelp_attributes")
    found = _drawn(known["all"], draw)
    if draw() % 3:
        found |= _drawn(known["parking"], draw)
    return found | _drawn(known["eating" if topic["group"] in _EATING else "others"], draw)


def _drawn(attributes: Mapping[str, Any], draw: Draw) -> dict[str, str]:
    """Return a value per attribute; a mapping becomes the text of a Python literal, as in Yelp's data."""
    return {
        name: pick(values, draw)
        if isinstance(values, list)
        else repr({flag: draw() % 4 == 0 for flag in values["flags"]})
        for name, values in attributes.items()
    }


def _hours(draw: Draw) -> dict[str, str]:
    """Return opening hours without leading zeros, as in "8:0-17:30"; closed days are omitted."""
    opens, closes = 6 + draw() % 6, 15 + draw() % 9
    closed = draw() % 10
    return {
        day: f"{opens}:{(draw() & 1) * 30}-{closes}:{(draw() & 1) * 30}"
        for place, day in enumerate(bank("yelp_names")["days"])
        if place != closed
    }
