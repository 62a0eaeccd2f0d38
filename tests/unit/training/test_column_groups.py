from __future__ import annotations

from tests.fields import FIELDS

from batch_nlp.fields import Field, FieldRole, Fields
from batch_nlp.training.importance import column_groups


def test_columns_that_mean_little_alone_are_shuffled_together() -> None:
    columns = [
        "word_count", "elite_years", "missingindicator_elite_years", "category_count", "category_group_cafe",
        "category_group_infrequent_sklearn", "ngram_score_0", "ngram_score_nb_0", "sentence_min_0", "sentence_count",
        "embedding_000", "embedding_001", "text", "something_new",
    ]  # fmt: skip
    assert column_groups(columns, FIELDS) == {
        "word_count": ["word_count"],
        "elite_years": ["elite_years", "missingindicator_elite_years"],
        "category_count": ["category_count"],
        "category_group": ["category_group_cafe", "category_group_infrequent_sklearn"],
        "ngrams": ["ngram_score_0", "ngram_score_nb_0"],
        "sentences": ["sentence_min_0", "sentence_count"],
        "embedding": ["embedding_000", "embedding_001"],
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
        "colour_red", "colour_depth", "missingindicator_colour_depth", "colour_name_rosé", "meaning_000", "meaning_001",
        "sentence_length", "sentence_count",
    ]  # fmt: skip
    assert column_groups(columns, fields) == {
        "colour": ["colour_red"],
        "colour_depth": ["colour_depth", "missingindicator_colour_depth"],
        "colour_name": ["colour_name_rosé"],
        "meaning": ["meaning_000", "meaning_001"],
        "sentence_length": ["sentence_length"],
        "sentences": ["sentence_count"],
    }
