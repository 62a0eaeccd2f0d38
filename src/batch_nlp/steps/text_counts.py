"""Step `text_counts`: count characters, words and marks in texts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from scipy.sparse import csr_array

from batch_nlp.chunks import split_chunks
from batch_nlp.fields import TEXT, Field, FieldRole
from batch_nlp.steps.base import StatelessStep

# Pictographs, dingbats, symbols, flags; joiners and skin tones belong to the preceding emoji
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
_FIELDS = (
    "text_length",
    "word_count",
    "mean_word_length",
    "exclamation_count",
    "question_count",
    "capital_share",
    "digit_share",
    "emoji_count",
)


class TextCounts(StatelessStep):
    """Count characters, words, marks, capitals, digits and emoji of each text."""

    def fields(self) -> tuple[Field, ...]:
        """Return the counts."""
        return tuple(Field(name, FieldRole.NUMBER) for name in _FIELDS)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the messages with counts (float64); shares are relative to the letters or characters."""
        # matches lie within chunks, so each distinct chunk is counted once
        different, codes, bounds = split_chunks(X[TEXT].to_list())
        counts = {
            name: pc.count_substring_regex(different, pattern).to_numpy(zero_copy_only=False).astype(float)
            for name, pattern in _COUNTED.items()
        }
        chunks_of_texts = csr_array((np.ones(len(codes)), codes, bounds), shape=(len(X), len(different)))
        number = {name: chunks_of_texts @ of_chunks for name, of_chunks in counts.items()}
        length = X[TEXT].str.len().to_numpy().astype(float)
        values = (
            length,
            number["words"],
            number["visible"] / np.maximum(number["words"], 1),
            number["exclamations"],
            number["questions"],
            number["capitals"] / np.maximum(number["letters"], 1),
            number["digits"] / np.maximum(length, 1),
            number["emoji"],
        )
        return X.assign(**dict(zip(_FIELDS, values, strict=True)))
