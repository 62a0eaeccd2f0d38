"""Generate the rows of the review table by chunks, and their lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import accumulate
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from batch_nlp.config import SampleConfig
from batch_nlp.sample.random_by_index import Float, Index, evenly, generator, ids, integers
from batch_nlp.sample.yelp.review_text import write_text
from batch_nlp.sample.yelp.world import DAY, FIRST_DAY, LAST_DAY, World, seconds

Row = dict[str, Any]

# Rows in memory at a time; changing it changes the data of a seed, since random numbers are drawn per chunk
CHUNK = 1000

BATCH_COLUMNS = ("review_id", "user_id", "business_id", "text", "date")

# Shares of 1 to 5 stars: 20 % negative, 13 % neutral, 67 % positive
_STAR_SHARES = (0.12, 0.08, 0.13, 0.25, 0.42)
_NATURAL_MIX = (0.20, 0.13, 0.67)
_CLASS_OF_STARS = (0, 0, 1, 2, 2)

# Review texts: median 70 words, mean 100, a heavy tail; unhappy people write more
_MEDIAN_WORDS = 64.0
_SPREAD_OF_WORDS = 0.84
_MOST_WORDS = 1000.0
_WORDS_BY_STARS = np.array([1.2, 1.25, 1.15, 1.0, 0.9])

# Shares of reviews without their user and without their business; 0.5 % lack both
_LOST_USERS = 0.02
_LOST_BUSINESSES = (0.015, 0.03)

# Columns of the id and the label
ID, LABEL = "review_id", "stars"
# Faults: a column and its bad values; the first fault cuts the line, the second removes the column
_FAULTS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("", ()),
    ("text", ()),
    ("text", (None,)),
    ("text", ("  ",)),
    ("date", ("yesterday", "2019-13-45 99:00:00", "0000-00-00 00:00:00", "")),
    (LABEL, (0.0, 6.0, 11.0, -1.0)),
)

# Stream number of `generator`, followed by the batch number and the chunk's first index
_STREAM = 1


@dataclass(frozen=True)
class Chunk:
    """Rows of the review table, and how to write their lines."""

    rows: list[Row]
    # Position in `rows` of each line to break, and a random integer that selects the fault
    broken: list[tuple[int, int]]
    # The lines to write, as positions in `rows`; a repeated position is a duplicate
    order: list[int]


def chunks(settings: SampleConfig, number: int) -> Iterator[Chunk]:
    """Yield the messages of the nth day after the history, or the history if `number` is 0, without drift."""
    messages = settings.batch_messages
    if not number:
        messages = settings.messages
        settings = replace(settings, class_mix=None, vocabulary=0.0, length=1.0)
    for start in range(0, messages, CHUNK):
        yield _chunk(settings, number, np.arange(start, min(start + CHUNK, messages)))


def _chunk(settings: SampleConfig, number: int, index: Index) -> Chunk:
    world = World.of(settings)
    random = generator(settings.seed, _STREAM, number, int(index[0]))
    size = len(index)
    stars = _stars(settings.class_mix, random, size)
    users = _agreeing(world.users, 1.5, world.leniency, stars, random)
    businesses = _agreeing(world.businesses, 1.3, world.quality, stars, random)
    dates = _dates(world.signed_up(users), number, random)
    words = np.exp(random.normal(np.log(_MEDIAN_WORDS), _SPREAD_OF_WORDS, size)) * _WORDS_BY_STARS[stars - 1]
    words = np.minimum(words, _MOST_WORDS) * settings.length
    novel = evenly(random, size) < settings.vocabulary
    topics = world.topics(businesses)
    votes = random.geometric((0.5, 0.78, 0.65), (size, 3)) - 1

    # a few reviews join nothing: an index beyond the end of the table is a missing user or business
    fate = random.random(size)
    users[fate < _LOST_USERS] += world.users
    businesses[(fate >= _LOST_BUSINESSES[0]) & (fate < _LOST_BUSINESSES[1])] += world.businesses

    draw = integers(random)
    rows: list[Row] = [
        {
            "review_id": review_id,
            "user_id": user_id,
            "business_id": business_id,
            "stars": float(given),
            "useful": useful,
            "funny": funny,
            "cool": cool,
            "text": write_text(given, topic, length, new, draw),
            "date": date.replace("T", " "),
        }
        for review_id, user_id, business_id, given, (useful, funny, cool), topic, length, new, date in zip(
            # every batch has its own trillion of indices, so ids are unique across history and batches
            ids(settings.seed, "review", index + (number << 40)),
            world.user_ids(users),
            world.business_ids(businesses),
            stars.tolist(),
            votes.tolist(),
            topics.tolist(),
            words.tolist(),
            novel.tolist(),
            np.datetime_as_string(dates.astype("datetime64[s]")).tolist(),
            strict=True,
        )
    ]
    return Chunk(rows, *_faults(settings, random, size))


def _stars(class_mix: list[float] | None, random: np.random.Generator, size: int) -> Index:
    mix = class_mix or _NATURAL_MIX
    shares = [
        share * mix[group] / _NATURAL_MIX[group] for share, group in zip(_STAR_SHARES, _CLASS_OF_STARS, strict=True)
    ]
    bounds = list(accumulate(shares))[:-1]
    return 1 + np.searchsorted(bounds, evenly(random, size), side="right")


def _agreeing(
    count: int, skew: float, trait: Callable[[Index], Float], stars: Index, random: np.random.Generator
) -> Index:
    """Choose a user or business per review; lower indices are more frequent.

    Many good reviews get the better of two candidates, and many bad ones the worse. So average stars indicate the
    label, as in the real tables, and the stars keep their shares.
    """
    first, second = (random.random((2, len(stars))) ** skew * count).astype(np.int64)
    better = trait(second) > trait(first)
    swap = ((stars > 3) & better) | ((stars < 3) & ~better)
    chosen: Index = np.where(swap & (random.random(len(stars)) < 0.6), second, first)
    return chosen


def _dates(signed_up: Index, number: int, random: np.random.Generator) -> Index:
    chance = random.random(len(signed_up))
    if number:
        return (seconds(LAST_DAY + timedelta(days=number)) + chance * DAY).astype(np.int64)
    first, last = seconds(FIRST_DAY), seconds(LAST_DAY) + DAY
    # nearly everybody writes after signing up, except for merged or moved accounts
    merged = random.random(len(signed_up)) < 0.03
    start = np.where(merged, first, np.maximum(signed_up, first))
    written: Index = (start + chance**0.8 * (last - start)).astype(np.int64)
    return written


def _faults(settings: SampleConfig, random: np.random.Generator, size: int) -> tuple[list[tuple[int, int]], list[int]]:
    broken = evenly(random, size) < settings.broken_share
    repeated = np.flatnonzero((evenly(random, size) < settings.duplicate_share) & ~broken)
    later = repeated + 0.5 + random.random(len(repeated)) * (size - repeated)
    places: NDArray[np.int64] = np.concatenate([np.arange(size), repeated])
    order = np.argsort(np.concatenate([np.arange(size), later]), kind="stable")
    hows = random.integers(0, 1 << 30, size)
    return [(int(place), int(hows[place])) for place in np.flatnonzero(broken)], places[order].tolist()


def to_lines(chunk: Chunk, columns: Sequence[str] | None = None) -> bytes:
    """Return the JSON lines of a chunk, some of them broken as in real files, with all columns by default."""
    rows = chunk.rows if columns is None else [{name: row[name] for name in columns} for row in chunk.rows]
    lines = [orjson.dumps(row) for row in rows]
    for place, how in chunk.broken:
        lines[place] = _broken(rows[place], how)
    return b"".join([lines[place] + b"\n" for place in chunk.order])


def _broken(row: Row, how: int) -> bytes:
    """Return the line of a row with a fault selected by the random integer `how`."""
    column, values = _FAULTS[how % len(_FAULTS)]
    detail = how >> 4
    if column not in row:
        line = orjson.dumps(row)
        # a cut within a character would be another fault, invalid UTF-8
        return line[: len(line) // 5 + detail % (len(line) // 2)].decode("utf-8", "ignore").encode()
    if values:
        return orjson.dumps({**row, column: values[detail % len(values)]})
    return orjson.dumps({name: value for name, value in row.items() if name != column})
