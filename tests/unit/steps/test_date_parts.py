from __future__ import annotations

import pandas as pd

from batch_nlp.fields import Field, FieldRole
from batch_nlp.steps.date_parts import DateParts


def test_the_parts_are_those_of_utc_and_missing_without_a_time() -> None:
    times = pd.to_datetime(["2020-02-29T13:45:00Z", "2021-01-04T00:30:00+02:00", None], utc=True)
    frame = pd.DataFrame({"written_at": times}, index=[5, 1, 9])
    out = DateParts().transform(frame)
    assert out.index.tolist() == [5, 1, 9]
    # a Saturday; and a Sunday evening in UTC
    assert out[["year", "month", "weekday", "hour"]].to_numpy()[:2].tolist() == [[2020, 2, 5, 13], [2021, 1, 6, 22]]
    assert out[["year", "month", "weekday", "hour"]].iloc[2].isna().all()
    assert list(frame.columns) == ["written_at"]


def test_parts_tell_no_drift_since_a_batch_is_always_later() -> None:
    names = ("year", "month", "weekday", "hour")
    assert DateParts().fields() == tuple(Field(name, FieldRole.NUMBER, drifts=False) for name in names)
