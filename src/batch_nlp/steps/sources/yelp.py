"""Features of the businesses and users in the Yelp Open Dataset, as of the message's time."""

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
    """Return the number of elite years before `year`, NaN if unknown.

    Examples
    --------
    >>> elite_years_before("2015,2016,20,20", 2020), elite_years_before("None", 2020)
    (2.0, 0.0)
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
    """Add features of the business's categories.

    Parameters
    ----------
    category_groups : mapping of str to sequence of str
        Category group -> words; a business belongs to the first group with a whole word in its categories.
    """

    def __init__(self, category_groups: Mapping[str, Sequence[str]]) -> None:
        self.category_groups = category_groups

    def fields(self) -> tuple[Field, ...]:
        """Return the group and the number of categories."""
        return Field("category_count", FieldRole.NUMBER), Field("category_group", FieldRole.CATEGORY)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the messages with `category_count` and `category_group`, missing if there is no business."""
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
    """Add the user's days of membership, and the number of earlier elite years."""

    def fields(self) -> tuple[Field, ...]:
        """Return both numbers; they always grow with time, so they do not indicate drift."""
        return tuple(Field(name, FieldRole.NUMBER, drifts=False) for name in ("elite_years", "tenure_days"))

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the messages with `elite_years` and `tenure_days`, NaN if the user is unknown."""
        since = pd.to_datetime(X["user_yelping_since"], format="ISO8601", utc=True, errors="coerce").dt.as_unit("us")
        tenure = (X["written_at"] - since).dt.total_seconds() / 86400
        years = [
            elite_years_before(elite, year)
            for elite, year in zip(X["user_elite"], X["written_at"].dt.year, strict=True)
        ]
        # if the user joined after the message, one of the dates is wrong
        return X.assign(elite_years=np.array(years, dtype=float), tenure_days=tenure.where(tenure >= 0))
