"""Which columns are likely to be the text, the id, the time and the label, and which make no feature."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from batch_nlp.dataset.conversion import UNREADABLE, as_key, as_number
from batch_nlp.onboarding.column_profiles import ColumnProfile, alternatives, merged

# A URL, an email address or the path of a file as a whole value, and share of the values that make a column of them
_ADDRESS = re.compile(
    r"<?(?:(?:[a-z][a-z0-9+.-]*:)?//|www\.|mailto:)\S+|\S+@\S+\.\w+|(?:[a-z]:|~|\.{0,2})[\\/]\S.*"
    r"|(?:[\w.-]+[\\/])+[\w.-]+\.\w{1,5}",
    re.IGNORECASE,
)
_ADDRESSES = 0.9
# Weight of a text that is called a reply, which is one to the message where there is another text
_REPLY = 0.05
# Share of different values beyond which texts make no category, and rows that tell
_SINGULAR, _TELLING = 0.5, 10
# Share of the rows that must have an id or a time for there to be such a column
_FULL = 0.98
# Share of the values of an id that must be different, since exports hold some rows twice, and of the rows that are
_UNIQUE, _OF_ONE_TEXT = 0.9, 0.998
# What of numbers can be a label: grades and truth, whatever their form, but no amounts
_STEP = re.compile(r"-?\d+(?:\.0+)?|true|false")
# Classes beyond which a column is no label
_MOST_CLASSES = 500


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
    codes = not any(char.isspace() for key in keys for char in key)
    codes = codes and any(char.isdigit() for key in keys[:5] for char in key)
    return column.is_named("id") or (codes and (column.is_called_number or all(len(key) >= 8 for key in keys)))


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
        and not (column.sign and not all(map(_STEP.fullmatch, column.sizes)))
        and (column.is_named("label") or _named_in_text(column, texts) < 0.3)
    ]


def _named_in_text(column: ColumnProfile, texts: Sequence[str]) -> float:
    """Return the share of rows whose text has the value in it: a mention of a thing is no judgement of the text."""
    pairs = [(target, text) for target, text in zip(column.targets, texts, strict=True) if target and len(target) > 2]
    named = sum("".join(target.casefold().split()) in "".join(text.casefold().split()) for target, text in pairs)
    return named / max(len(pairs), 1)


def unfit_reason(column: ColumnProfile, joins: bool = False) -> str:
    """Return why a column makes no feature; nothing if it can be one.

    Parameters
    ----------
    column : ColumnProfile
    joins : bool
        Whether it is of a side table, each row of which several messages may name.
    """
    texts = {text for text in column.texts if text}
    reasons = {
        "numbers the rows": column.is_index,
        "holds objects, of which no field is read": column.holds_objects,
        "has one value": len(column.sizes) == 1 and column.sizes.total() == len(column.values),
        "differs from row to row, and looks like an id or a running number": not joins
        and len(column.there) > _TELLING
        and len(column.sizes) >= _FULL * len(column.there)
        and all(as_number(value, column.sign).is_integer() for value in column.there),
        "differs from row to row": not joins
        and not column.sign
        and len(texts) > max(_SINGULAR * len(column.there), _TELLING),
    }
    return next((reason for reason, true in reasons.items() if true), "")
