"""What the rows of each layer must look like."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import pandera.pandas as pa_check

NUMERIC_FEATURES = (
    "text_length",
    "word_count",
    "mean_word_length",
    "exclamation_count",
    "question_count",
    "capital_share",
    "digit_share",
    "emoji_count",
    "year",
    "month",
    "weekday",
    "hour",
    "category_count",
    "elite_years",
    "tenure_days",
)
CATEGORICAL_FEATURES = ("category_group",)
TEXT, EMBEDDING = "text", "embedding"
FEATURE_COLUMNS = (*NUMERIC_FEATURES, *CATEGORICAL_FEATURES, TEXT, EMBEDDING)

# Columns of the Yelp tables that hold the label, an aggregate over it, or something from after the message was
# written. No feature may be computed from them.
FORBIDDEN_SOURCES = frozenset(
    {
        "stars",
        "useful",
        "funny",
        "cool",
        "average_stars",
        "review_count",
        "fans",
        "friends",
        "is_open",
        "compliment_cool",
        "compliment_cute",
        "compliment_funny",
        "compliment_hot",
        "compliment_list",
        "compliment_more",
        "compliment_note",
        "compliment_photos",
        "compliment_plain",
        "compliment_profile",
        "compliment_writer",
    }
)

FEATURES_SCHEMA = pa.schema(
    [
        ("message_id", pa.string()),
        ("written_at", pa.timestamp("us", tz="UTC")),
        ("text_hash", pa.string()),
        (TEXT, pa.string()),
        *((name, pa.float64()) for name in NUMERIC_FEATURES),
        *((name, pa.string()) for name in CATEGORICAL_FEATURES),
        (EMBEDDING, pa.list_(pa.float32())),
    ]
)


def message_contract(targets: Collection[str]) -> pa_check.DataFrameSchema:
    """Return the contract of extracted messages; each row must keep it by itself.

    Parameters
    ----------
    targets : collection of str
        Values that the target may have; a message without a target is one that is not labelled yet.
    """
    # imported late: it takes half a second, and most pipelines that name a column check none
    import pandera.pandas as pa_check

    return pa_check.DataFrameSchema(
        {
            "message_id": pa_check.Column(
                object,
                [
                    pa_check.Check.str_length(1, 256, error="id is empty or longer than 256 characters"),
                    pa_check.Check.str_matches(r"[^\x00-\x1f\x7f]+\Z", error="id has control characters"),
                ],
            ),
            "text": pa_check.Column(object),
            "written_at": pa_check.Column(
                "datetime64[us, UTC]",
                pa_check.Check.in_range(
                    "1990-01-01T00:00:00Z", "2100-01-01T00:00:00Z", error="date is not between 1990 and 2100"
                ),
            ),
            "target": pa_check.Column(
                object,
                pa_check.Check.isin(sorted(targets), error=f"target is none of {', '.join(sorted(targets))}"),
                nullable=True,
            ),
        },
        strict=False,
    )
