"""Guess which columns are the text, the id, the time and the label, and which are unsuitable as features."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from batch_nlp.dataset.conversion import UNREADABLE, as_key, as_number
from batch_nlp.onboarding.column_profiles import ColumnProfile, alternatives, merged

# A value that is a URL, an email address or a file path; share of such values in a column of addresses
_ADDRESS = re.compile(
    r"<?(?:(?:[a-z][a-z0-9+.-]*:)?//|www\.|mailto:)\S+|\S+@\S+\.\w+|(?:[a-z]:|~|\.{0,2})[\\/]\S.*"
    r"|(?:[\w.-]+[\\/])+[\w.-]+\.\w{1,5}",
    re.IGNORECASE,
)
_ADDRESSES = 0.9
# Weight of a text named reply: it answers the message if there is another text
_REPLY = 0.05
# Share of distinct values beyond which texts are not categories; minimum number of rows to judge
_SINGULAR, _TELLING = 0.5, 10
# Share of rows that must have a value in an id or time column
_FULL = 0.98
# Share of ids that must be distinct, since exports repeat some rows; share of distinct rows that must have distinct ids
_UNIQUE, _OF_ONE_TEXT = 0.9, 0.998
# Numbers that can be labels: grades and booleans, but not amounts
_STEP = re.compile(r"-?\d+(?:\.0+)?|true|false")
# Maximum number of classes of a label
_MOST_CLASSES = 500


def text_columns(columns: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """Return the text columns: the richest text and its titles; empty if there is no text."""
    scores = {column.name: text_score(column) for column in columns}
    best = max(columns, key=lambda column: scores[column.name], default=None)
    if best is None or scores[best.name] == 0:
        return []
    others = alternatives(best, [column for column in columns if scores[column.name] > 0])
    titles = [column for column in columns if column.is_named("title") and scores[column.name] > 0]
    return [column for column in columns if column is best or column in others or column in titles]


def text_score(column: ColumnProfile) -> float:
    """Return how much a column looks like texts of messages; 0 for not at all."""
    texts = [text for text in column.texts if text]
    if not texts or column.sign or column.time is not None or len(texts) < len(column.there) / 2:
        return 0.0
    if float(np.mean([_ADDRESS.fullmatch(text.strip()) is not None for text in texts])) >= _ADDRESSES:
        return 0.0
    length = float(np.mean([min(len(text), 1000) for text in texts]))
    words = float(np.mean([len(text.split()) for text in texts]))
    different = len(set(texts)) / len(texts)
    # scripts without spaces have no words to count
    spaced = words >= 2 or (length >= 6 and not any(text.isascii() for text in texts[:50]))
    if not spaced and not column.is_named("text"):
        return 0.0
    named = _REPLY if column.is_named("reply") else 1 + 4 * column.is_named("text")
    return float(length * different * named * column.filled**0.5)


def id_columns(columns: Sequence[ColumnProfile], texts: Sequence[str]) -> list[ColumnProfile]:
    """Return the column that identifies messages, and its replacements in rows of other layouts.

    Its values are nearly unique, equal values have equal texts, and its name or the form of its values suggests an id.
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
    codes = not any(char.isspace() for key in keys for char in key)
    codes = codes and any(char.isdigit() for key in keys[:5] for char in key)
    return column.is_named("id") or (codes and (column.is_called_number or all(len(key) >= 8 for key in keys)))


def time_columns(columns: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """Return the time column, preferably one named as a time, and its replacements in rows of other layouts."""
    found = [column for column in columns if column.time is not None]
    return _full(sorted(found, key=lambda column: not column.is_named("time")))


def _full(columns: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """Return the first column that, with its replacements in other layouts, has a value in nearly every row.

    If a dataset has ids or times, a message without one is quarantined.
    """
    for column in columns:
        found = [column, *alternatives(column, columns)]
        if merged(found).filled >= _FULL:
            return found
    return []


def label_candidates(columns: Sequence[ColumnProfile], texts: Sequence[str]) -> list[ColumnProfile]:
    """Return possible label columns: few distinct values, which the text of the row does not contain."""
    return [
        column
        for column in columns
        if 2 <= len(column.sizes) <= min(_MOST_CLASSES, max(2, len(column.there) // 5))
        and column.time is None
        and sum(size for target, size in column.sizes.items() if len(target) > 100) <= 0.01 * len(column.there)
        and not (column.sign and not all(map(_STEP.fullmatch, column.sizes)))
        and (column.is_named("label") or _named_in_text(column, texts) < 0.3)
    ]


def _named_in_text(column: ColumnProfile, texts: Sequence[str]) -> float:
    """Return the share of rows whose text contains the value: such a value is a mention, not a judgement."""
    pairs = [(target, text) for target, text in zip(column.targets, texts, strict=True) if target and len(target) > 2]
    named = sum("".join(target.casefold().split()) in "".join(text.casefold().split()) for target, text in pairs)
    return named / max(len(pairs), 1)


def unfit_reason(column: ColumnProfile, joins: bool = False) -> str:
    """Return why a column is unsuitable as a feature; empty if it is suitable.

    A row of a side table, which `joins` the messages, may belong to several of them.
    """
    texts = {text for text in column.texts if text}
    reasons = {
        "numbers the rows": column.is_index,
        "contains objects, whose fields are not read": column.holds_objects,
        "has a single value": len(column.sizes) == 1 and column.sizes.total() == len(column.values),
        "differs from row to row, and looks like an id or a running number": not joins
        and len(column.there) > _TELLING
        and len(column.sizes) >= _FULL * len(column.there)
        and all(as_number(value, column.sign).is_integer() for value in column.there),
        "differs from row to row": not joins
        and not column.sign
        and len(texts) > max(_SINGULAR * len(column.there), _TELLING),
    }
    return next((reason for reason, true in reasons.items() if true), "")
