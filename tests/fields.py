"""The fields of the sample dataset."""

from __future__ import annotations

from batch_nlp.fields import Field, FieldRole, Fields

FIELDS = Fields(
    [
        Field("text", FieldRole.TEXT),
        *(
            Field(name, FieldRole.NUMBER)
            for name in (
                "text_length",
                "word_count",
                "mean_word_length",
                "exclamation_count",
                "question_count",
                "capital_share",
                "digit_share",
                "emoji_count",
            )
        ),
        *(Field(name, FieldRole.NUMBER, drifts=False) for name in ("year", "month", "weekday", "hour")),
        Field("category_count", FieldRole.NUMBER),
        Field("category_group", FieldRole.CATEGORY),
        Field("elite_years", FieldRole.NUMBER, drifts=False),
        Field("tenure_days", FieldRole.NUMBER, drifts=False),
        Field("embedding", FieldRole.VECTOR),
    ]
)
