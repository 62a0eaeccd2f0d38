from __future__ import annotations

from tests.fields import FIELDS

from batch_nlp.fields import Field, FieldRole, Fields
from batch_nlp.training.importance import column_groups


def test_columns_that_mean_little_alone_are_shuffled_together() -> None:
    columns = [
        "word_count", "elite_years", "elite_years=missing", "category_count", "category_group=cafe",
        "category_group", "ngram_score_0", "ngram_score_nb_0", "sentence_min_0", "sentence_count",
        "embedding=000", "embedding=001", "text", "something_new",
    ]  # fmt: skip
    assert column_groups(columns, FIELDS) == {
        "word_count": ["word_count"],
        "elite_years": ["elite_years", "elite_years=missing"],
        "category_count": ["category_count"],
        "category_group": ["category_group=cafe", "category_group"],
        "ngrams": ["ngram_score_0", "ngram_score_nb_0"],
        "sentences": ["sentence_min_0", "sentence_count"],
        "embedding": ["embedding=000", "embedding=001"],
        "text": ["text"],
        "something_new": ["something_new"],
    }
    coarse = column_groups(columns, FIELDS, coarse=True)
    assert list(coarse) == ["tabular", "ngrams", "sentences", "embedding", "text", "something_new"]


def test_names_that_begin_alike_are_told_apart() -> None:
    fields = Fields(
        [
            Field("colour", FieldRole.CATEGORY),
            Field("colour_depth", FieldRole.NUMBER),
            Field("colour_name", FieldRole.CATEGORY),
            Field("meaning", FieldRole.VECTOR),
            Field("sentence_length", FieldRole.NUMBER),
        ]
    )
    columns = [
        "colour=depth=dark", "colour_depth", "colour_depth=missing", "colour_name=rosé", "meaning=000", "meaning=001",
        "sentence_length", "sentence_count",
    ]  # fmt: skip
    assert column_groups(columns, fields) == {
        "colour": ["colour=depth=dark"],
        "colour_depth": ["colour_depth", "colour_depth=missing"],
        "colour_name": ["colour_name=rosé"],
        "meaning": ["meaning=000", "meaning=001"],
        "sentence_length": ["sentence_length"],
        "sentences": ["sentence_count"],
    }
