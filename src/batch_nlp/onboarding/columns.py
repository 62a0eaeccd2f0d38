"""What the columns of a table look like, and what each is likely to be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from batch_nlp.dataset.labels import as_target
from batch_nlp.dataset.values import UNREADABLE, as_key, as_number, as_text, is_missing
from batch_nlp.onboarding.times import TimeFormat, time_format

# Words that name a column in English and other European languages; a name is split into words first
_NAMES = {
    "text": "text message body content comment review complaint description question utterance tweet "
    "nachricht beschreibung kommentar bewertung texto mensaje opinion mensagem texte avis testo recensione tekst",
    "title": "title subject headline summary titel betreff titulo asunto titre objet titolo oggetto onderwerp",
    "label": "label class category cat intent topic sentiment target rating star score product department type "
    "klasse kategorie thema sterne clase categoria tema estrellas classe categorie etoiles note stelle",
    "id": "id uuid guid key identifier nummer numero",
    "time": "time date created at timestamp when posted datum zeit erstellt fecha hora data heure",
}
_KNOWN = {role: frozenset(words.split()) for role, words in _NAMES.items()}
_PART = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# Share of the rows that must have an id or a time for there to be such a column
_FULL = 0.98
# Names that no setting can hold: those of the reader's own columns, of code and of what is missing, and long ones
_NO_NAMES, _LONGEST = frozenset({"source_file", "source_line", "_target_", "???"}), 200
# Share of the values of an id that must be different, since exports hold some rows twice, and of the rows that are
_UNIQUE, _OF_ONE_TEXT = 0.9, 0.998
# What of numbers can be a label: grades and truth, whatever their form, but no amounts
_STEP = re.compile(r"-?\d+(?:\.0+)?|true|false")
# Rows from which numbers that rise are no chance
_NUMBERED = 10
# Classes beyond which a column is no label
_MOST_CLASSES = 500


@dataclass(frozen=True)
class ColumnProfile:
    """The values of a column.

    Parameters
    ----------
    name : str
    values : list
        One for each row, None where it has none.
    """

    name: str
    values: list[Any]

    @cached_property
    def there(self) -> list[Any]:
        """The values that are there."""
        return [value for value in self.values if not is_missing(value) and value not in ("", [])]

    @cached_property
    def filled(self) -> float:
        """Share of the rows that have a value."""
        return len(self.there) / max(len(self.values), 1)

    @cached_property
    def texts(self) -> list[str | None]:
        """Each value as text, None where it is none or cannot be."""
        found = (None if is_missing(value) else as_text(value) for value in self.values)
        return [text if isinstance(text, str) and text.strip() else None for text in found]

    @cached_property
    def targets(self) -> list[str | None]:
        """Each value as a label, None where it is none."""
        found = (None if is_missing(value) else as_target(value) for value in self.values)
        return [target if isinstance(target, str) else None for target in found]

    @cached_property
    def sizes(self) -> Counter[str]:
        """Rows of each label that the values make."""
        return Counter(target for target in self.targets if target is not None)

    @cached_property
    def time(self) -> TimeFormat | None:
        """How its values are written, where they are times."""
        named = self.is_named("time")
        return None if self.is_named("id") and not named else time_format(self.there, named)

    @cached_property
    def is_numeric(self) -> bool:
        """Whether all values are numbers."""
        return bool(self.there) and all(not np.isnan(as_number(value)) for value in self.there)

    @cached_property
    def is_index(self) -> bool:
        """Whether it does nothing but number the rows: whole numbers, of which nearly each is over the one before."""
        numbers = [as_number(value) for value in self.there]
        steps = np.diff(numbers)
        whole = len(steps) >= _NUMBERED and all(number.is_integer() for number in numbers)
        return whole and float(np.mean(steps > 0)) >= _FULL

    def is_named(self, role: str) -> bool:
        """Say whether its name is one that columns of a role often have."""
        return not _KNOWN[role].isdisjoint(self._words)

    @property
    def is_called_for_a_role(self) -> bool:
        """Whether its name has only words that columns of some role often have."""
        return bool(self._words) and set().union(*_KNOWN.values()).issuperset(self._words)

    @property
    def _words(self) -> list[str]:
        return [word.casefold() for word in _PART.findall(_CAMEL.sub(" ", self.name))]


def profiles(rows: Sequence[Mapping[str, Any]]) -> list[ColumnProfile]:
    """Return the columns of a table that have any values, in their order.

    Parameters
    ----------
    rows : sequence of mapping
    """
    names = dict.fromkeys(str(name) for row in rows for name in row if name not in _NO_NAMES and len(name) <= _LONGEST)
    found = [ColumnProfile(name, [row.get(name) for row in rows]) for name in names]
    return [profile for profile in found if profile.there]


def alternatives(column: ColumnProfile, columns: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """Return the columns that rows of another layout have in its place: of no row both have a value."""
    found, there = [], np.array([not is_missing(value) for value in column.values])
    for other in columns:
        theirs = np.array([not is_missing(value) for value in other.values])
        if other is not column and not there.all() and not (there & theirs).any():
            found.append(other)
            there |= theirs
    return found


def merged(columns: Sequence[ColumnProfile]) -> ColumnProfile:
    """Return the first value of several columns, under the name of the first one."""
    rows = zip(*(column.values for column in columns), strict=True)
    values = [next((value for value in row if not is_missing(value)), None) for row in rows]
    return ColumnProfile(columns[0].name, values)


def text_columns(columns: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """Return the columns of the text: the one that says most, and titles that go with it; none if nothing is."""
    scores = {column.name: text_score(column) for column in columns}
    best = max(columns, key=lambda column: scores[column.name], default=None)
    if best is None or scores[best.name] == 0:
        return []
    others = alternatives(best, [column for column in columns if scores[column.name] > 0])
    titles = [column for column in columns if column.is_named("title") and scores[column.name] > 0]
    return [column for column in columns if column is best or column in others or column in titles]


def text_score(column: ColumnProfile) -> float:
    """Return how much a column looks like the text of messages, for comparisons; 0 if not at all."""
    texts = [text for text in column.texts if text]
    if not texts or column.is_numeric or column.time is not None or len(texts) < len(column.there) / 2:
        return 0.0
    length = float(np.mean([min(len(text), 1000) for text in texts]))
    words = float(np.mean([len(text.split()) for text in texts]))
    different = len(set(texts)) / len(texts)
    # scripts without spaces have no words to count
    spaced = words >= 2 or (length >= 6 and not any(text.isascii() for text in texts[:50]))
    if not spaced and not column.is_named("text"):
        return 0.0
    return float(length * different * (1 + 4 * column.is_named("text")) * column.filled**0.5)


def id_columns(columns: Sequence[ColumnProfile], texts: Sequence[str]) -> list[ColumnProfile]:
    """Return the column that tells messages apart, and what stands for it in other layouts.

    Rows with one value have one text, which few have, and the name or the form of the values says so.

    Parameters
    ----------
    columns : sequence of ColumnProfile
    texts : sequence of str, shape (n,)
        Text of each row.
    """
    return _full([column for column in columns if _is_id(column, texts)])


def _is_id(column: ColumnProfile, texts: Sequence[str]) -> bool:
    rows = [(as_key(value), text) for value, text in zip(column.values, texts, strict=True)]
    rows = [row for row in rows if row[0] not in ("", None)]
    keys = [key for key, _ in rows]
    if column.time is not None or any(key is UNREADABLE for key in keys):
        return False
    if len({*keys}) < max(_UNIQUE * len(keys), _OF_ONE_TEXT * len({*rows})):
        return False
    long = all(len(key) >= 8 and not any(char.isspace() for char in key) for key in keys)
    return column.is_named("id") or (long and any(any(char.isdigit() for char in key) for key in keys[:5]))


def time_columns(columns: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """Return the column of the time, the one named so first, and what stands for it in other layouts."""
    found = [column for column in columns if column.time is not None]
    return _full(sorted(found, key=lambda column: not column.is_named("time")))


def _full(columns: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """Return the first column that, with those in its place in other rows, has nearly no row without a value.

    A message without its id or time cannot be read where others have one.
    """
    for column in columns:
        found = [column, *alternatives(column, columns)]
        if merged(found).filled >= _FULL:
            return found
    return []


def label_candidates(columns: Sequence[ColumnProfile], texts: Sequence[str]) -> list[ColumnProfile]:
    """Return the columns that could be a label: few different values, none that the text itself names.

    Parameters
    ----------
    columns : sequence of ColumnProfile
    texts : sequence of str, shape (n,)
        Text of each row.
    """
    return [
        column
        for column in columns
        if 2 <= len(column.sizes) <= min(_MOST_CLASSES, max(2, len(column.there) // 5))
        and column.time is None
        and sum(size for target, size in column.sizes.items() if len(target) > 100) <= 0.01 * len(column.there)
        and not (column.is_numeric and not all(map(_STEP.fullmatch, column.sizes)))
        and (column.is_named("label") or _named_in_text(column, texts) < 0.3)
    ]


def _named_in_text(column: ColumnProfile, texts: Sequence[str]) -> float:
    """Return the share of rows whose text has the value in it: a mention of a thing is no judgement of the text."""
    pairs = [(target, text) for target, text in zip(column.targets, texts, strict=True) if target and len(target) > 2]
    named = sum("".join(target.casefold().split()) in "".join(text.casefold().split()) for target, text in pairs)
    return named / max(len(pairs), 1)
