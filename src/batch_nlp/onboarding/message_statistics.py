"""Statistics of all messages: repeats, classes, languages, HTML tags, and what a split by time would leave out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import takewhile

import numpy as np
import pandas as pd

from batch_nlp.config import ColumnConfig, Role, TrainingConfig
from batch_nlp.dataset.conversion import normal_text
from batch_nlp.dataset.labels import LEVEL
from batch_nlp.dataset.parse_times import as_times
from batch_nlp.onboarding.column_profiles import ColumnProfile

# Texts sampled for their language; characters needed to tell: short messages are combined
_LANGUAGE_TEXTS, _LANGUAGE_CHARS = 300, 300
_TAG = re.compile(r"</?(?:p|br|div|span|a|b|i|em|strong|ul|ol|li|table|tr|td|h[1-6])\b[^<>]*>", re.IGNORECASE)


def different_rows(texts: Sequence[str], ids: Sequence[ColumnProfile], times: Sequence[ColumnProfile]) -> list[int]:
    """Return the rows that are messages: with a text, and the first row of each id (or of each text and time)."""
    rows = dict[tuple[str, ...], int]()
    for row, text in enumerate(texts):
        known_by = [str(column.values[row]) for column in ids or times]
        if text:
            rows.setdefault(tuple(known_by if ids else [normal_text(text), *known_by]), row)
    return [*rows.values()]


def classes_of(labels: Sequence[ColumnProfile], rows: Sequence[int]) -> dict[int, str]:
    """Return the class of each row, empty if it has no class."""
    levels = {row: [column.targets[row] for column in labels] for row in rows}
    return {row: LEVEL.join(map(str, takewhile(bool, level))) for row, level in levels.items()}


def one_sided(leaves: Mapping[int, str], times: Sequence[ColumnProfile], settings: TrainingConfig) -> list[str]:
    """Return the classes, of sufficient size, that a split by time would leave entirely on one side."""
    if not times or times[0].time is None:
        return []
    column = ColumnConfig(Role.time, format=times[0].time.format)
    written = as_times(
        pd.Series({row: times[0].values[row] for row, leaf in leaves.items() if leaf}, dtype=object), column
    )
    order = written.dropna().sort_values(kind="stable").index
    edge = len(order) - round(settings.holdout * len(order))
    old, new = (Counter(leaves[row] for row in side) for side in (order[:edge], order[edge:]))
    return sorted(name for name in old.keys() ^ new.keys() if old[name] + new[name] >= settings.min_class_messages)


def repeated(texts: Sequence[str]) -> float:
    """Return the share of texts that repeat an earlier one."""
    there = [normal_text(text) for text in texts if text]
    return 1 - len(set(there)) / len(there) if there else 0.0


def languages(texts: Sequence[str]) -> dict[str, float]:
    """Return the language shares of the texts (ISO 639-1)."""
    from py3langid import classify  # type: ignore[import-untyped] # it has no type information

    there = [text[:_LANGUAGE_CHARS] for text in texts if text]
    parts, counts, size = list[str](), Counter[str](), 0
    for text in there[:: max(1, len(there) // _LANGUAGE_TEXTS)][:_LANGUAGE_TEXTS]:
        parts, size = [*parts, text], size + len(text)
        if size >= _LANGUAGE_CHARS:
            counts[classify("\n".join(parts))[0]] += len(parts)
            parts, size = [], 0
    if not counts and parts:
        counts[classify("\n".join(parts))[0]] += 1
    shares = {language: count / counts.total() for language, count in counts.most_common()}
    return {language: share for language, share in shares.items() if share >= 0.05}


def largest_share(values: Sequence[str]) -> float:
    """Return the share of the most frequent value."""
    return max(Counter(values).values(), default=0) / max(len(values), 1)


def tagged(texts: Sequence[str]) -> float:
    """Return the share of texts with HTML tags."""
    return float(np.mean([_TAG.search(text) is not None for text in texts]))
