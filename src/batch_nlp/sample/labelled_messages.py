"""Generates messages whose words tell their class, more or less, and writes them as JSON lines or CSV."""

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
from batch_nlp.errors import SettingsError
from batch_nlp.sample.clauses import Clauses, bank, compile_clauses, draw_clause, word_tables
from batch_nlp.sample.generators import SOURCES, Part, check
from batch_nlp.sample.random_by_index import Draw, evenly, generator, integers

Row = dict[str, Any]

# Rows that are in memory together; part of what a seed means, as the random numbers are drawn by chunk.
_CHUNK = 1000
# Streams of `generator` below are Yelp's
_STREAM = 10
_CHANCE = 1 << 30
# Days of the history
DAYS = 20


@dataclass(frozen=True, slots=True)
class Message:
    """One message before it takes the form of its source.

    Attributes
    ----------
    index : int
        Different for all messages of a history and its batches.
    day : float
        When it was written: days since the start of the history, which has `DAYS`; batch n is written on day n after.
    label : str
        Its class.
    sentences : list of str
        What it says.
    file : str
        Name of the file that it is written to.
    draw : callable
        Gives random integers of 30 bits, for what else the row needs.
    """

    index: int
    day: float
    label: str
    sentences: list[str]
    file: str
    draw: Draw

    @property
    def text(self) -> str:
        """The sentences, one after the other."""
        return " ".join(sentence if sentence.endswith("?") else f"{sentence}." for sentence in self.sentences)


@lru_cache(maxsize=8)
def _grammar(name: str) -> tuple[Clauses, dict[str, Clauses]]:
    """Return the clauses that any class of a source uses, and those of each class."""
    source = bank(name)
    words = word_tables(source["slots"])
    own = {
        label: compile_clauses(content["clauses"], words | word_tables(content.get("slots", {})))
        for label, content in source["classes"].items()
    }
    return compile_clauses(source["common"], words), own


@dataclass(frozen=True)
class Labelled:
    """A source with one table.

    Parameters
    ----------
    name : str
        Name of its bank of clauses.
    history_files : tuple of str
        Files among which the history is divided.
    batch_file : str
        Name of a batch's file, to be formatted with the number of the batch.
    sentences : tuple of int
        Fewest and most sentences of a message.
    row : callable
        Turns a message into a row of its file.
    late : frozenset of str
        Columns that come after the message; batches lack them.
    has_labels : bool
        Whether the classes of the bank are labels, and not only what the messages are about.
    """

    name: str
    history_files: tuple[str, ...]
    batch_file: str
    sentences: tuple[int, int]
    row: Callable[[Message], Row]
    late: frozenset[str] = frozenset()
    has_labels: bool = True

    def check(self, settings: SampleConfig) -> None:
        """Raise a `SettingsError` that names the first setting that cannot be satisfied."""
        check(settings, list(bank(self.name)["classes"]))
        if settings.vocabulary:
            raise SettingsError(
                f"sample.vocabulary={settings.vocabulary}: only the generator yelp has words that its history lacks. "
                f"Leave it at 0 for {self.name}."
            )
        if settings.class_mix and not self.has_labels:
            raise SettingsError(f"sample.class_mix: messages of {self.name} have no classes. Leave it at null.")

    def history(self, settings: SampleConfig) -> Iterator[tuple[str, Iterator[Part]]]:
        """Yield the files of the history."""
        natural = replace(settings, class_mix=None, length=1.0)
        ends = [settings.messages * part // len(self.history_files) for part in range(len(self.history_files) + 1)]
        for file, start, stop in zip(self.history_files, ends[:-1], ends[1:], strict=True):
            yield file, self._parts(natural, 0, range(start, stop), file)

    def batch(self, settings: SampleConfig, number: int, labelled: bool) -> Iterator[bytes]:
        """Yield the file of a batch, with what comes after the message or without."""
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
        stream = (_STREAM + list(SOURCES).index(self.name), number, places.start)
        random, size = generator(settings.seed, *stream), len(places)
        common, own = _grammar(self.name)
        labels = list(own)
        shares = settings.class_mix or [content["share"] for content in bank(self.name)["classes"].values()]
        bounds = np.cumsum(shares)[:-1] / sum(shares)
        classes = np.searchsorted(bounds, evenly(random, size), side="right").tolist()
        days, draw = random.random(size).tolist(), integers(random)
        fewest, most = self.sentences
        for place, chosen, day in zip(places, classes, days, strict=True):
            count = max(1, round((fewest + draw() % (most - fewest + 1)) * settings.length))
            # people mention other things too, and some choose the wrong class: this is where the classes overlap
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
    """Return a line that ends too early: within a JSON value, or after the first cell of a CSV."""
    end = len(line) // 2 if line.startswith(b"{") else line.index(b",")
    return line[:end].decode("utf-8", "ignore").encode() + b"\n"
