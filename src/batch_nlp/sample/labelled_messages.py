"""Generate messages whose words indicate their class, and write them as JSON lines or CSV."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import orjson

from batch_nlp.config import SampleConfig
from batch_nlp.sample.clauses import Clauses, bank, compile_clauses, draw_clause, word_tables
from batch_nlp.sample.random_by_index import Draw, evenly, generator, integers

Row = dict[str, Any]
# Bytes of a file, and how many messages they hold
Part = tuple[bytes, int]

# Rows in memory at a time; changing it changes the data of a seed, since random numbers are drawn per chunk
_CHUNK = 1000
_CHANCE = 1 << 30
# Days of the history
DAYS = 20


@dataclass(frozen=True, slots=True)
class Message:
    """A message before it gets the format of its source."""

    # Unique across a history and its batches
    index: int
    # Days since the start of the history, which has `DAYS`; batch n is written on the nth day after it
    day: float
    label: str
    sentences: list[str]
    # Name of the message's file
    file: str
    # Returns random integers for other columns
    draw: Draw

    @property
    def text(self) -> str:
        """The sentences in sequence."""
        return " ".join(sentence if sentence.endswith("?") else f"{sentence}." for sentence in self.sentences)


@lru_cache(maxsize=8)
def _grammar(name: str) -> tuple[Clauses, dict[str, Clauses]]:
    """Return the clauses common to all classes of a source, and those of each class."""
    source = bank(name)
    words = word_tables(source["slots"])
    own = {
        label: compile_clauses(content["clauses"], words | word_tables(content.get("slots", {})))
        for label, content in source["classes"].items()
    }
    return compile_clauses(source["common"], words), own


@dataclass(frozen=True)
class Labelled:
    """A generator of a source with one table."""

    # Name of the bank of clauses
    name: str
    # Stream number of `random_by_index.generator`; numbers below 10 belong to Yelp
    stream: int
    # Files that share the history
    history_files: tuple[str, ...]
    # File name of a batch, to be formatted with its number
    batch_file: str
    # Minimum and maximum number of sentences per message
    sentences: tuple[int, int]
    # Converts a message to a row of its file
    row: Callable[[Message], Row]
    # Columns that are known only later; batches lack them
    late: frozenset[str]
    # Whether the classes of the bank are labels, or only topics
    has_labels: bool = True

    @property
    def classes(self) -> list[str]:
        """Classes of the messages, or their topics if they have no labels."""
        return list(bank(self.name)["classes"])

    def history(self, settings: SampleConfig) -> Iterator[tuple[str, Iterator[Part]]]:
        """Yield the files of the history."""
        natural = replace(settings, class_mix=None, length=1.0)
        ends = [settings.messages * part // len(self.history_files) for part in range(len(self.history_files) + 1)]
        for file, start, stop in zip(self.history_files, ends[:-1], ends[1:], strict=True):
            yield file, self._parts(natural, 0, range(start, stop), file)

    def batch(self, settings: SampleConfig, number: int, labelled: bool) -> Iterator[bytes]:
        """Yield the file of a batch; `labelled` includes columns that are known only later."""
        late = frozenset() if labelled else self.late
        parts = self._parts(settings, number, range(settings.batch_messages), self.batch_file, late)
        return (content for content, _ in parts)

    def _parts(
        self, settings: SampleConfig, number: int, places: range, file: str, late: frozenset[str] = frozenset()
    ) -> Iterator[Part]:
        for start in range(places.start, places.stop, _CHUNK):
            chunk = range(start, min(start + _CHUNK, places.stop))
            lines: list[bytes] = []
            for message in self._messages(settings, number, chunk, file):
                row = self.row(message)
                broken = message.draw() < settings.broken_share * _CHANCE
                repeated = message.draw() < settings.duplicate_share * _CHANCE
                encoded = _encode(_without(row, late), file, header=not lines and start == places.start)
                lines.extend([_cut(encoded) if broken and lines else encoded] * (1 + (repeated and bool(lines))))
            content = b"".join(lines)
            yield gzip.compress(content, mtime=0) if file.endswith(".gz") else content, len(chunk)

    def _messages(self, settings: SampleConfig, number: int, places: range, file: str) -> Iterator[Message]:
        random, size = generator(settings.seed, self.stream, number, places.start), len(places)
        common, own = _grammar(self.name)
        labels = list(own)
        shares = settings.class_mix or [content["share"] for content in bank(self.name)["classes"].values()]
        bounds = np.cumsum(shares)[:-1] / sum(shares)
        classes = np.searchsorted(bounds, evenly(random, size), side="right").tolist()
        days, draw = random.random(size).tolist(), integers(random)
        fewest, most = self.sentences
        for place, chosen, day in zip(places, classes, days, strict=True):
            count = max(1, round((fewest + draw() % (most - fewest + 1)) * settings.length))
            # classes overlap: people mention other things too, and some choose the wrong class
            told: set[str] = set()
            meant = own[labels[chosen if draw() % 16 else draw() % len(labels)]]
            sentences = []
            for _ in range(count):
                dice = draw() & 7
                other = own[labels[draw() % len(labels)]]
                clauses = meant if dice < 4 or not told else common if dice < 6 else other
                sentences.append(draw_clause(clauses, told, draw))
            when = DAYS + number - 1 + day if number else day * DAYS
            yield Message(place + (number << 40), when, labels[chosen], sentences, file, draw)


def _without(row: Row, late: frozenset[str]) -> Row:
    kept = {name: value for name, value in row.items() if name not in late}
    return {name: _without(value, late) if isinstance(value, dict) else value for name, value in kept.items()}


def _encode(row: Row, file: str, header: bool) -> bytes:
    if ".csv" not in file:
        return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([list(row), row.values()] if header else [row.values()])
    return text.getvalue().encode()


def _cut(line: bytes) -> bytes:
    """Return a truncated line: cut within a JSON value, or after the first cell of a CSV."""
    end = len(line) // 2 if line.startswith(b"{") else line.index(b",")
    return line[:end].decode("utf-8", "ignore").encode() + b"\n"
