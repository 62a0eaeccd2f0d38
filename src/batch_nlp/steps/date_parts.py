"""Step `date_parts`: year, month, weekday and hour of the time of writing, UTC."""

from __future__ import annotations

import pandas as pd

from batch_nlp.fields import Field, FieldRole
from batch_nlp.steps.base import StatelessStep

_PARTS = {"year": "year", "month": "month", "weekday": "day_of_week", "hour": "hour"}


class DateParts(StatelessStep):
    """Add the parts of `written_at` as numbers; sources without times skip this step."""

    def fields(self) -> tuple[Field, ...]:
        """Return the parts; they do not indicate drift, since a batch always has other times than the hold-out."""
        return tuple(Field(name, FieldRole.NUMBER, drifts=False) for name in _PARTS)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the messages with `year`, `month`, `weekday` (Monday is 0) and `hour`, float64."""
        date = X["written_at"].dt
        return X.assign(**{name: getattr(date, part).astype(float) for name, part in _PARTS.items()})
