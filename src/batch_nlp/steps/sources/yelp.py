"""Features of the Yelp Open Dataset's businesses and users, as of when the message was written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from batch_nlp.fields import Field, FieldRole
from batch_nlp.steps.base import StatelessStep

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


class BusinessFeatures(StatelessStep):
    """Add what the categories of the message's business say.

    Parameters
    ----------
    category_groups : mapping of str to sequence of str
        Category group -> words; a business belongs to the first group one of whose whole words is in its categories.
    """

    def __init__(self, category_groups: Mapping[str, Sequence[str]]) -> None:
        self.category_groups = category_groups

    def fields(self) -> tuple[Field, ...]:
        """Return the group and the number of categories."""
        return Field("category_count", FieldRole.NUMBER), Field("category_group", FieldRole.CATEGORY)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the messages with `category_count` and `category_group`, missing without a business."""
        patterns = {
            group: re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b", re.IGNORECASE)
            for group, words in self.category_groups.items()
        }
        names = {categories: _group(categories, patterns) for categories in X["business_categories"].unique()}
        pairs = [names[categories] for categories in X["business_categories"]]
        return X.assign(
            category_count=np.array([number for _, number in pairs], dtype=float),
            category_group=pd.Series([group for group, _ in pairs], X.index, object),
        )


class UserFeatures(StatelessStep):
    """Add for how long the message's user had been there, and in how many earlier years as elite."""

    def fields(self) -> tuple[Field, ...]:
        """Return both numbers. They grow with time for every user, so they tell no drift."""
        return tuple(Field(name, FieldRole.NUMBER, drifts=False) for name in ("elite_years", "tenure_days"))

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the messages with `elite_years` and `tenure_days`, NaN where the user is not known."""
        since = pd.to_datetime(X["user_yelping_since"], format="ISO8601", utc=True, errors="coerce").dt.as_unit("us")
        tenure = (X["written_at"] - since).dt.total_seconds() / 86400
        years = [
            elite_years_before(elite, year)
            for elite, year in zip(X["user_elite"], X["written_at"].dt.year, strict=True)
        ]
        # a message from before its user joined says that one of the two dates is wrong
        return X.assign(elite_years=np.array(years, dtype=float), tenure_days=tenure.where(tenure >= 0))
