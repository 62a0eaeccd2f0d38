"""Propose the roles of columns for a dataset's file, with the reasons."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from batch_nlp.config import Config
from batch_nlp.errors import DataError, SettingsError, did_you_mean, examples
from batch_nlp.onboarding.column_profiles import ColumnProfile, alternatives, merged
from batch_nlp.onboarding.guess_roles import id_columns, label_candidates, text_columns, time_columns
from batch_nlp.onboarding.label_leaks import cross_validated_recall, leaks, leaks_together
from batch_nlp.onboarding.message_statistics import (
    classes_of,
    different_rows,
    languages,
    largest_share,
    one_sided,
    repeated,
    tagged,
)

# Rows used to judge how well the text predicts a column; minimum skill over guessing
_JUDGED_ROWS, _LEAST_SKILL = 3000, 0.03
_WORD = re.compile(r"\b\w\w+\b")


@dataclass(frozen=True)
class GivenColumns:
    """Columns named by the user: empty for no such column, None to guess."""

    text: list[str] | None = None
    label: list[str] | None = None
    time: list[str] | None = None
    id: list[str] | None = None

    def of(self, columns: Collection[str]) -> GivenColumns:
        """Return the names matched to the columns: a comma may be part of a name."""
        wholes = {role: ",".join(names) for role, names in vars(self).items() if names}
        return replace(self, **{role: [whole] for role, whole in wholes.items() if whole in columns})


@dataclass(frozen=True)
class Proposal:
    """The proposed content of a dataset's file."""

    texts: list[ColumnProfile]
    times: list[ColumnProfile]
    ids: list[ColumnProfile]
    # One per level of a hierarchy, and the names of the alternative columns of each level
    labels: list[ColumnProfile]
    levels: list[list[str]]
    # Columns that reveal the label, alone or in combination, and columns without a role
    leaks: list[ColumnProfile]
    leaks_together: list[ColumnProfile]
    others: list[ColumnProfile]
    # Messages per class
    classes: Counter[str]
    # Shares of the rows without a text, and of the texts that repeat an earlier one
    textless: float
    repeated: float
    # Language shares of the texts (ISO 639-1)
    languages: dict[str, float]
    # Largest share of messages with equal times
    equal_times: float
    # Classes that occur only in the newest messages, or only in the others
    one_sided: list[str]
    # Share of the texts with HTML tags
    tagged: float
    # Why text, label, time and id were chosen
    reasons: dict[str, str]
    # The settings, which decide for example how small a class may be
    config: Config

    @property
    def least(self) -> int:
        """Minimum size of a class that is learned."""
        return self.config.training.min_class_messages


def propose(columns: Sequence[ColumnProfile], asked: GivenColumns, where: str, config: Config) -> Proposal:
    """Propose what the columns of the messages in the file or folder `where` are.

    Raises a `DataError` if no column is a text, and a `SettingsError` if a column named by the user does not exist.
    """
    asked = asked.of(_names(columns))
    reasons = {name: f"set by init.{name}" for name in ("text", "label", "time", "id")}
    texts = _named(columns, asked.text, "text")
    if texts == []:
        raise SettingsError(f"init.text=none: a dataset needs a text. {did_you_mean('none', _names(columns))}")
    given = {*(asked.label or ()), *(asked.time or ()), *(asked.id or ())}
    free = [column for column in columns if column.name not in given]
    if texts is None:
        texts, reasons["text"] = text_columns(free), "the longest and most varied texts"
    if not texts:
        seen = examples(_names(columns)) or "no column at all"
        raise DataError(f"{where}: no column looks like texts. Found: {seen}. Name the column: init.text=COLUMN.")
    joined = ["\n".join(filter(None, parts)) for parts in zip(*(column.texts for column in texts), strict=True)]
    free = [column for column in free if column not in texts]
    times = _named(columns, asked.time, "time")
    if times is None:
        times, reasons["time"] = time_columns(free), "times"
    ids = _named(columns, asked.id, "id")
    free = [column for column in free if column not in times]
    if ids is None:
        ids, reasons["id"] = id_columns(free, joined), "unique per message"
    labels, levels = _named(columns, asked.label, "label"), list[list[str]]()
    if labels is None:
        named, reasons["label"] = _label([column for column in free if column not in ids], joined)
        labels = [merged(named)] if named else []
        levels = [[column.name for column in named]] if named else []
    levels = levels or [[column.name] for column in labels]
    taken = {*(column.name for column in (*texts, *times, *ids)), *chain.from_iterable(levels)}
    giving_away = leaks(columns, labels[0], taken) if labels else []
    others = [column for column in columns if column.name not in taken and column not in giving_away]
    together = leaks_together(others, labels[0]) if labels else []
    leaves = classes_of(labels, different_rows(joined, ids, times))
    return Proposal(
        texts,
        times,
        ids,
        labels,
        levels,
        giving_away,
        together,
        [column for column in others if column not in together],
        Counter(filter(None, leaves.values())),
        joined.count("") / len(joined),
        repeated(joined),
        languages(joined),
        largest_share([value for column in times[:1] for value in map(str, column.there)]),
        one_sided(leaves, times, config.training),
        tagged(joined),
        reasons,
        config,
    )


def _names(columns: Sequence[ColumnProfile]) -> list[str]:
    return [column.name for column in columns]


def _named(columns: Sequence[ColumnProfile], names: list[str] | None, what: str) -> list[ColumnProfile] | None:
    if names is None:
        return None
    known = {column.name: column for column in columns}
    for name in names:
        if name not in known:
            hint = did_you_mean(name, list(known))
            hint += f""" Quote names that contain a comma: 'init.{what}=["a, b",c]'.""" if len(names) > 1 else ""
            raise SettingsError(f"init.{what}={name}: there is no such column, or it is empty. {hint}")
    return [known[name] for name in names]


def _label(columns: Sequence[ColumnProfile], texts: list[str]) -> tuple[list[ColumnProfile], str]:
    """Return the likely label column, chosen by name or because the texts predict it best.

    Its replacements in rows of other layouts are included.
    """
    candidates = label_candidates(columns, texts)
    named = [column for column in candidates if column.is_named("label") and column.filled > 0.5]
    if len(named) == 1:
        return named, "its name and its few distinct values suggest a label"
    pool = named or candidates
    scores = {column.name: _skill(column, texts) for column in pool}
    best = max(pool, key=lambda column: scores[column.name], default=None)
    if best is None or (not named and scores[best.name] < _LEAST_SKILL):
        return [], "no column with few distinct values can be predicted from the texts"
    same = [other for other in candidates if not best.sizes.keys().isdisjoint(other.sizes)]
    found = [best, *alternatives(best, same)]
    return found, "of the columns with few distinct values, the texts predict this one best"


def _skill(column: ColumnProfile, texts: list[str]) -> float:
    """Return how well a simple model predicts a column from the text: 0 for guessing, 1 for always right."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.naive_bayes import ComplementNB
    from sklearn.pipeline import make_pipeline

    # texts without words cannot predict anything
    pairs = [
        (text, target) for text, target in zip(texts, column.targets, strict=True) if target and _WORD.search(text)
    ]
    large = {target for target, size in Counter(target for _, target in pairs).items() if size >= 5}
    pairs = [(text, target) for text, target in pairs if target in large]
    pairs = pairs[:: max(1, len(pairs) // _JUDGED_ROWS)]
    large = {target for target, size in Counter(target for _, target in pairs).items() if size >= 3}
    pairs = [(text, target) for text, target in pairs if target in large]
    if len(large) < 2:
        return 0.0
    words = CountVectorizer(binary=True, token_pattern=_WORD.pattern)
    targets = [target for _, target in pairs]
    recall = cross_validated_recall(make_pipeline(words, ComplementNB()), [text for text, _ in pairs], targets)
    guess = 1 / len(large)
    # a column that is filled in few rows is less likely to be the label
    return (recall - guess) / (1 - guess) * column.filled
