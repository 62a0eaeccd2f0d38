"""Step `create_features`: numbers and categories that depend on the message alone, as of when it was written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from scipy.sparse import csr_array

from batch_nlp.chunks import split_chunks
from batch_nlp.contracts import CATEGORICAL_FEATURES, NUMERIC_FEATURES, TEXT
from batch_nlp.steps.base import StatelessStep

# Pictographs, dingbats, symbols, flags; joiners and skin tones are parts of the emoji before them
_EMOJI = r"[\x{2600}-\x{27BF}\x{2B00}-\x{2BFF}\x{1F1E6}-\x{1F1FF}\x{1F300}-\x{1F3FA}\x{1F400}-\x{1FAFF}]"
# RE2 patterns; none of them can match across a space
_COUNTED = {
    "words": r"\S+",
    "visible": r"\S",
    "exclamations": "!",
    "questions": r"\?",
    "capitals": r"\p{Lu}",
    "letters": r"\p{L}",
    "digits": r"\p{Nd}",
    "emoji": _EMOJI,
}
# The open dataset writes the elite year 2020 as "20,20"
_SPLIT_2020 = re.compile(r"(?<!\d)20,20(?!\d)")


def elite_years_before(elite: str | None, year: int) -> float:
    """Return in how many years before `year` a user was elite, NaN where that is not known.

    Examples
    --------
    >>> elite_years_before("2015,2016,20,20", 2020)
    2.0
    >>> elite_years_before("None", 2020)
    0.0
    """
    if elite is None:
        return np.nan
    years = {int(found) for found in re.findall(r"\d{4}", _SPLIT_2020.sub("2020", elite))}
    return float(sum(elite_year < year for elite_year in years))


def _group(categories: str | None, patterns: Mapping[str, re.Pattern[str]]) -> tuple[str | None, float]:
    """Return the group of a business and the number of its categories."""
    if categories is None:
        return None, np.nan
    number = float(sum(bool(part.strip()) for part in categories.split(",")))
    return next((group for group, pattern in patterns.items() if pattern.search(categories)), "other"), number


class CreateFeatures(StatelessStep):
    """Compute the derived features.

    Parameters
    ----------
    category_groups : mapping of str to sequence of str
        Category group -> words; a business belongs to the first group one of whose whole words is in its categories.
    """

    def __init__(self, category_groups: Mapping[str, Sequence[str]]) -> None:
        self.category_groups = category_groups

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return `message_id`, `written_at`, `text_hash`, `text` and the derived features of each message.

        Numbers are float64, NaN where nothing is known; `category_group` is text, None without a business.
        """
        features = X[["message_id", "written_at", "text_hash", TEXT]].copy()
        values = {**self._text_features(X), **self._date_features(X), **self._user_features(X), **self._business(X)}
        for name in (*NUMERIC_FEATURES, *CATEGORICAL_FEATURES):
            features[name] = values[name]
        return features

    @staticmethod
    def _text_features(X: pd.DataFrame) -> dict[str, Any]:
        # what is counted lies within a chunk, so each different chunk is counted once
        different, codes, bounds = split_chunks(X[TEXT].to_list())
        counts = {
            name: pc.count_substring_regex(different, pattern).to_numpy(zero_copy_only=False).astype(float)
            for name, pattern in _COUNTED.items()
        }
        chunks_of_texts = csr_array((np.ones(len(codes)), codes, bounds), shape=(len(X), len(different)))
        number = {name: chunks_of_texts @ of_chunks for name, of_chunks in counts.items()}
        length = X[TEXT].str.len().to_numpy().astype(float)
        return {
            "text_length": length,
            "word_count": number["words"],
            "mean_word_length": number["visible"] / np.maximum(number["words"], 1),
            "exclamation_count": number["exclamations"],
            "question_count": number["questions"],
            "capital_share": number["capitals"] / np.maximum(number["letters"], 1),
            "digit_share": number["digits"] / np.maximum(length, 1),
            "emoji_count": number["emoji"],
        }

    @staticmethod
    def _date_features(X: pd.DataFrame) -> dict[str, Any]:
        date = X["written_at"].dt
        parts = {"year": date.year, "month": date.month, "weekday": date.day_of_week, "hour": date.hour}
        return {name: part.astype(float) for name, part in parts.items()}

    @staticmethod
    def _user_features(X: pd.DataFrame) -> dict[str, Any]:
        tenure = (X["written_at"] - X["user_since"]).dt.total_seconds() / 86400
        years = X["written_at"].dt.year
        return {
            # a message from before its user joined says that one of the two dates is wrong
            "tenure_days": tenure.where(tenure >= 0),
            "elite_years": np.array(
                [elite_years_before(elite, year) for elite, year in zip(X["user_elite"], years, strict=True)],
                dtype=float,
            ),
        }

    def _business(self, X: pd.DataFrame) -> dict[str, Any]:
        patterns = {
            group: re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b", re.IGNORECASE)
            for group, words in self.category_groups.items()
        }
        names = {categories: _group(categories, patterns) for categories in X["business_categories"].unique()}
        pairs = [names[categories] for categories in X["business_categories"]]
        return {
            "category_group": pd.Series([group for group, _ in pairs], X.index, object),
            "category_count": np.array([number for _, number in pairs], dtype=float),
        }
