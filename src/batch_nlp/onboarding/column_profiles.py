"""Profile the columns of a table: what their values and names tell."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from batch_nlp.dataset.conversion import as_number, as_text, is_missing
from batch_nlp.dataset.labels import as_target
from batch_nlp.onboarding.guess_time_format import TimeFormat, guess_time_format

# Words in column names, in English and other European languages
_NAMES = {
    "text": "text message body content comment review complaint description question utterance tweet "
    "nachricht beschreibung kommentar bewertung texto mensaje opinion mensagem texte avis testo recensione tekst",
    "title": "title subject headline summary titel betreff titulo asunto titre objet titolo oggetto onderwerp",
    "label": "label class category cat intent topic sentiment target rating star score product department type "
    "klasse kategorie thema sterne clase categoria tema estrellas classe categorie etoiles note stelle",
    "reply": "reply replies response antwort respuesta resposta reponse risposta",
    "id": "id uuid guid key identifier nummer numero",
    "time": "time date created at timestamp when posted datum zeit erstellt fecha hora data heure",
}
_KNOWN = {role: frozenset(words.split()) for role, words in _NAMES.items()}
_PART = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# Names of reference numbers, such as Vorgangsnr., case no or N° de ticket; things other than messages that have numbers
_NUMBER_OF = re.compile(
    r"\w(?:nummer|number|numero|nr|nro)$| (?:nummer|number|numero|num|no|nr|nro)$|^(?:number|num|no|nr|nro|n) (?!of )"
)
_OF_OTHERS = re.compile(
    r"phone|telef|fax|handy|mobil|haus|house|kunde|klant|custom|client|user|account|konto|laufend"
    r"|\b(?:tel|row|line|zeile|zeilen|lfd)"
)
# Names that no setting can contain: of the reader, of Hydra and OmegaConf, and long ones
_NO_NAMES, _LONGEST = frozenset({"source_file", "source_line", "_target_", "???"}), 200
# Minimum number of rows, and share of increasing steps, of a running number
_NUMBERED, _RISING = 10, 0.98


@dataclass(frozen=True)
class ColumnProfile:
    """A column with its values."""

    name: str
    # One per row, None if missing
    values: list[Any]

    @cached_property
    def there(self) -> list[Any]:
        """The values that are not missing."""
        return [value for value in self.values if not is_missing(value) and value not in ("", [])]

    @cached_property
    def filled(self) -> float:
        """Share of the rows that have a value."""
        return len(self.there) / max(len(self.values), 1)

    @cached_property
    def texts(self) -> list[str | None]:
        """Each value as text, None if missing or unreadable."""
        found = (None if is_missing(value) else as_text(value) for value in self.values)
        return [text if isinstance(text, str) and text.strip() else None for text in found]

    @cached_property
    def targets(self) -> list[str | None]:
        """Each value as a label, None if missing or unreadable."""
        found = (None if is_missing(value) else as_target(value) for value in self.values)
        return [target if isinstance(target, str) else None for target in found]

    @cached_property
    def sizes(self) -> Counter[str]:
        """Number of rows per label."""
        return Counter(target for target in self.targets if target is not None)

    @cached_property
    def time(self) -> TimeFormat | None:
        """The format of the values, if they are times."""
        named = self.is_named("time")
        is_id = not named and (self.is_named("id") or self.is_called_number)
        return None if is_id else guess_time_format(self.there, named)

    @cached_property
    def sign(self) -> str:
        """The decimal sign if all values are numbers, a point or a comma; otherwise empty."""
        signs = (sign for sign in ".," if not any(np.isnan(as_number(value, sign)) for value in self.there))
        return next(signs, "") if self.there else ""

    @cached_property
    def is_index(self) -> bool:
        """Whether the column only numbers the rows: whole numbers that nearly always increase."""
        numbers = [as_number(value, self.sign) for value in self.there]
        steps = np.diff(numbers)
        whole = len(steps) >= _NUMBERED and all(number.is_integer() for number in numbers)
        return whole and float(np.mean(steps > 0)) >= _RISING

    @cached_property
    def holds_objects(self) -> bool:
        """Whether most values are JSON objects, or lists with objects."""
        objects = [any(isinstance(one, dict) for one in (v if isinstance(v, list) else [v])) for v in self.there]
        return sum(objects) > len(objects) / 2

    def is_named(self, role: str) -> bool:
        """Say whether the name contains a typical word of a role."""
        return not _KNOWN[role].isdisjoint(self._words)

    @property
    def is_called_number(self) -> bool:
        """Whether the name is that of a reference number, of tickets, cases or orders."""
        name = " ".join(self._words)
        return _NUMBER_OF.search(name) is not None and _OF_OTHERS.search(name) is None

    @property
    def is_called_for_a_role(self) -> bool:
        """Whether the name consists only of typical words of roles."""
        return bool(self._words) and set().union(*_KNOWN.values()).issuperset(self._words)

    @property
    def _words(self) -> list[str]:
        plain = "".join(char for char in unicodedata.normalize("NFKD", self.name) if not unicodedata.combining(char))
        return [word.casefold() for word in _PART.findall(_CAMEL.sub(" ", plain))]


def profiles(rows: Sequence[Mapping[str, Any]]) -> list[ColumnProfile]:
    """Return the non-empty columns of a table, in order."""
    names = dict.fromkeys(str(name) for row in rows for name in row if name not in _NO_NAMES and len(name) <= _LONGEST)
    found = [ColumnProfile(name, [row.get(name) for row in rows]) for name in names]
    return [profile for profile in found if profile.there]


def alternatives(column: ColumnProfile, columns: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """Return the columns that replace a column in rows of other layouts: no row has a value in both."""
    found, there = [], np.array([not is_missing(value) for value in column.values])
    for other in columns:
        theirs = np.array([not is_missing(value) for value in other.values])
        if other is not column and not there.all() and not (there & theirs).any():
            found.append(other)
            there |= theirs
    return found


def merged(columns: Sequence[ColumnProfile]) -> ColumnProfile:
    """Combine columns into one with the first value of each row, under the first column's name."""
    rows = zip(*(column.values for column in columns), strict=True)
    values = [next((value for value in row if not is_missing(value)), None) for row in rows]
    return ColumnProfile(columns[0].name, values)


def like_data(columns: Sequence[ColumnProfile], twice: bool = False) -> int:
    """Return how many column names look like data: equal to one of the column's values, or mostly numbers.

    A column may be named like one of its classes (``spam``), so if any name is typical of a role, all are names.
    `twice` says that the first line is repeated as a row.
    """
    are_names = any(column.is_called_for_a_role for column in columns)
    data = [not are_names and (twice or column.name in map(str, column.there)) for column in columns]
    numbers = [not np.isnan(as_number(column.name)) for column in columns]
    return sum(data) or (sum(numbers) if 2 * sum(numbers) > len(columns) else 0)
